/** One dead letter with its message, which only the token opens: messages are not for everybody who may see the page. */
import { ask, CancelledError, RefusedError } from '../admin-requests.js';
import { byId, make, setText } from '../elements.js';
import { printable } from '../shared/escape.js';
import type { DeadLetterDetails, DeadLetterSummary, FailureDocument } from '../shared/protocol.js';
import * as format from '../format.js';

export async function showLetter(letter: DeadLetterSummary, replay: (key: string) => Promise<void>): Promise<void> {
  const dialog = byId<HTMLDialogElement>('letter');
  try {
    const details = await ask('deadLetter', { letter: letter.key });
    setText(byId('letter-message'), messageText(details));
    byId('letter-facts').replaceChildren(...factsOf(details));
    showFailures(details.failures);
  } catch (error) {
    if (error instanceof CancelledError) return;
    setText(byId('letter-message'), error instanceof RefusedError ? error.message : 'The letter could not be read.');
    byId('letter-facts').replaceChildren();
    showFailures([]);
  }
  byId('letter-replay').onclick = () => {
    dialog.close();
    void replay(letter.key);
  };
  dialog.showModal();
}

function messageText({ message, message_base64: base64, message_truncated: cut }: DeadLetterDetails): string {
  const text = message === undefined ? `(not UTF-8; in base64)\n${base64 ?? ''}` : lines(message);
  return cut ? `${text}\n… (cut; message-broker-worker dead show prints the whole)` : text;
}

/** Line ends stay, everything else that cannot be seen is written out. */
function lines(message: string): string {
  return message
    .split('\n')
    .map((line) => printable(line, Infinity))
    .join('\n');
}

/** The newest first: it is the one that counts. */
function showFailures(failures: readonly FailureDocument[]): void {
  const items = failures.map((failure) => make('li', {}, failureText(failure)));
  byId('letter-failures').replaceChildren(...items.reverse());
  byId('letter-failed').hidden = failures.length === 0;
}

function failureText({ at, reason, status, answer, worker_id: workerId }: FailureDocument): string {
  const answered = status === null ? '' : ` (${status})`;
  const said = answer === null ? '' : `: ${answer}`;
  return `${format.dateTime(at)}, ${printable(`${reason}${answered} on ${workerId}${said}`, 600)}`;
}

function factsOf(letter: DeadLetterDetails): Node[] {
  const facts: readonly (readonly [string, string])[] = [
    ['Message', printable(letter.message_id ?? format.UNKNOWN, 255)],
    ['Client', printable(letter.client_id ?? format.UNKNOWN, 255)],
    ['Domain', printable(letter.domain ?? format.UNKNOWN, 255)],
    ['Reason', printable(letter.reason, 80)],
    ['Error', printable(letter.error, 400)],
    ['Died', format.dateTime(letter.dead_at)],
    ['Attempts', format.count(letter.attempt_count)],
    ['Worker', printable(letter.worker_id, 80)],
    ['Size', format.bytes(letter.size_bytes)],
    ['Key', letter.key],
  ];
  return facts.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)));
}
