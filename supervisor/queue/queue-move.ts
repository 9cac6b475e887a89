/**
 * What stays behind when a reload makes the workers take messages from somewhere else: of another name, or of another Redis.
 * Nobody would deliver it, so as long as it is more than nothing such a reload is refused.
 */
import type { QueueSizes } from '../../src/queue/message-queue.js';
import type { Config } from '../../src/shared/config/config.js';
import type { QueueAccess, QueueSettings } from './queue-access.js';

interface QueueMoveOptions {
  readonly access: Pick<QueueAccess, 'borrow'>;
  /** Names under which our workers are known in the queue that they serve. */
  readonly consumers: () => readonly string[];
}

interface Move {
  readonly isOne: boolean;
  /** A sentence: why it must not be. */
  readonly refusal?: string;
  /** A sentence. */
  readonly remark?: string;
}

const REACH_MS = 2_000;

export class QueueMove {
  readonly #options: QueueMoveOptions;

  constructor(options: QueueMoveOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async before(was: Config, is: Config): Promise<Move> {
    if (placeOf(was) === placeOf(is)) return { isOne: false };
    const left = await this.#sizes(was);
    if (left === undefined) {
      return { isOne: true, remark: `What the ${nameOf(was)} still holds is not known, since it cannot be reached.` };
    }
    if (await this.#isTheSame(is)) return { isOne: false };
    if (left.retrying + left.waiting > 0) {
      return {
        isOne: true,
        refusal: `The ${nameOf(was)} still holds ${inWords(left)}, which nobody would deliver after the change to the ${nameOf(is)}. Wait until they are delivered ("message-broker-worker status" counts them) and reload again; to leave them there, stop the supervisor and start it.`,
      };
    }
    return {
      isOne: true,
      ...(left.dead > 0 ? { remark: `${left.dead} dead letters stay in the ${nameOf(was)}.` } : {}),
    };
  }

  /** When the last old worker has ended: what came to lie there meanwhile, as a sentence. Never rejects. */
  async after(was: Config): Promise<string | undefined> {
    const left = await this.#sizes(was);
    if (left === undefined || left.retrying + left.waiting === 0) return undefined;
    return `During the reload ${inWords(left)} came to lie in the ${nameOf(was)}, which nobody delivers now. Change the settings back and reload to have them delivered.`;
  }

  #sizes(settings: QueueSettings): Promise<QueueSizes | undefined> {
    return this.#ask(settings, (queue) => queue.sizes());
  }

  /** Another name for the same Redis: it knows our workers. */
  async #isTheSame(settings: QueueSettings): Promise<boolean> {
    const known = new Set(await this.#ask(settings, (queue) => queue.consumers()));
    return this.#options.consumers().some((name) => known.has(name));
  }

  async #ask<T>(
    settings: QueueSettings,
    question: (queue: ReturnType<QueueAccess['borrow']>['queue']) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const connection = this.#options.access.borrow(settings);
      try {
        await connection.whenReady(REACH_MS);
        return await question(connection.queue);
      } finally {
        await connection.release();
      }
    } catch {
      return undefined; // the canary will say why the new one cannot be used
    }
  }
}

/** The same for settings that lead to the same messages, whatever the password. */
function placeOf({ redis, queue }: QueueSettings): string {
  const { clusterNodes, sentinels, sentinelName, host, port, db } = redis;
  const server =
    clusterNodes.length > 0 ? [clusterNodes] : sentinels.length > 0 ? [sentinels, sentinelName] : [host, port];
  return JSON.stringify([server, db, queue.name]);
}

function nameOf({ redis, queue }: QueueSettings): string {
  const [node] = [...redis.clusterNodes, ...redis.sentinels];
  const { host, port } = node ?? redis;
  return `queue ${queue.name} at ${host}:${port}`;
}

function inWords({ retrying, waiting }: QueueSizes): string {
  return `${retrying} messages to be tried again and ${waiting} that wait`;
}
