/** What a sink in a process of its own says. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 30_000;

/** The next message of this type. Rejects after 30 s, or when the sink ends. */
export async function answer<Message extends { readonly type: string }, Type extends Message['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<Message, { type: Type }>> {
  const end = new AbortController();
  const heard = async (): Promise<Extract<Message, { type: Type }>> => {
    for (;;) {
      const [message] = (await once(child, 'message', { signal: end.signal })) as [Message];
      if (message.type === type) return message as Extract<Message, { type: Type }>;
    }
  };
  const gone = once(child, 'exit', { signal: end.signal }).then(() => {
    throw new Error('The sink ended.');
  });
  const late = sleep(DEADLINE_MS, undefined, { signal: end.signal }).then(() => {
    throw new Error(`The sink had nothing "${type}" to report within ${DEADLINE_MS / 1_000} s: messages are missing.`);
  });
  const others = [gone, late];
  for (const other of others) other.catch(() => undefined); // what is cut at the end
  try {
    return await Promise.race([heard(), ...others]);
  } finally {
    end.abort();
  }
}
