/** An https server in a process of its own that notes when each message came. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../../src/shared/config/package-root.js';
import type { Stand } from '../measure/stand.js';
import type { Arrivals, FromSink, TimedSinkSetup, ToSink } from './timed-sink-process.js';

const SCRIPT = join(packageRoot, 'dist', 'scripts', 'bench', 'sinks', 'timed-sink-process.js');
const DEADLINE_MS = 30_000;

export class TimedSink {
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    readonly url: string,
  ) {
    this.#child = child;
  }

  static async start({ certificates }: Stand): Promise<TimedSink> {
    const { caCert, serverCert, serverKey } = certificates;
    const setup: TimedSinkSetup = { caCert, serverCert, serverKey };
    const child = fork(SCRIPT, [JSON.stringify(setup)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    const { port } = await answer(child, 'listening');
    return new TimedSink(child, `https://127.0.0.1:${port}`);
  }

  /** Resolves when `count` messages arrived since the last `take`. */
  async arrivals(count: number): Promise<void> {
    this.#tell({ type: 'await', count });
    await answer(this.#child, 'arrived');
  }

  take(): Promise<Arrivals> {
    this.#tell({ type: 'take' });
    return answer(this.#child, 'taken').then(({ arrivals }) => arrivals);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exit;
  }

  #tell(message: ToSink): void {
    this.#child.send(message, () => undefined); // a sink that is gone answers nothing, which `answer` reports
  }
}

type Answer<T extends FromSink['type']> = Extract<FromSink, { type: T }>;

/** The next answer of this kind. Rejects after 30 s, or when the sink ends. */
async function answer<T extends FromSink['type']>(child: ChildProcess, type: T): Promise<Answer<T>> {
  const end = new AbortController();
  const heard = async (): Promise<Answer<T>> => {
    for (;;) {
      const [message] = (await once(child, 'message', { signal: end.signal })) as [FromSink];
      if (message.type === type) return message as Answer<T>;
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
