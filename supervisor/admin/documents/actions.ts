/** What came of a retry or a cancel, as the routes and the commands show it. */
import type { ActionProgress, MeantMessage } from '../../../src/queue/actions/run.js';
import type { MessageRunAnswer } from '../protocol.js';

/** @param met what a dry run has met. */
export function actionDocument(progress: ActionProgress, met?: readonly MeantMessage[]): MessageRunAnswer {
  const { seen, total, meant, done, already, later, laterMs, earlier, isInterrupted } = progress;
  return {
    schema_version: 1,
    dry_run: met !== undefined,
    total,
    seen,
    matched: meant,
    done,
    already_due: already,
    due_later: later,
    due_later_seconds: Math.ceil(laterMs / 1_000),
    of_earlier_version: earlier,
    interrupted: isInterrupted,
    ...(met ? { messages: met.map(({ place, messageId }) => ({ place, message_id: messageId ?? null })) } : {}),
  };
}
