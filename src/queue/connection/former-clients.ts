/**
 * The lost connections whose commands Redis may still carry out, and their end.
 *
 * A server that starts counts its clients from 1 again, and each server counts its own: a number alone names some client,
 * a producer's perhaps. So nothing is ended but what this very run of the server shows under our own name.
 */
import type { RedisConnection } from './connection.js';

/** One connection as its server knows it. */
export interface RedisClientIdentity {
  readonly id: number;
  /** Of the run of the server that gave the id; empty when it does not tell. */
  readonly runId: string;
  /** As CLIENT LIST shows it. */
  readonly name: string;
}

export class FormerClients {
  readonly #lost: RedisClientIdentity[] = [];

  add(client: RedisClientIdentity): void {
    this.#lost.push(client);
  }

  /**
   * Once it has resolved, no command of theirs is carried out any more, but of those that could not be told from others':
   * what these claim the next reconciliation finds. Rejects with RedisUnavailableError; it can then be called again.
   */
  async end(connection: RedisConnection): Promise<void> {
    for (let client = this.#lost[0]; client !== undefined; client = this.#lost[0]) {
      if (await isStillThere(connection, client)) {
        // refused when it is gone meanwhile, or when the user may not
        await connection.callPermitted(0, 'CLIENT', 'KILL', 'ID', client.id);
      }
      this.#lost.shift();
    }
  }
}

async function isStillThere(connection: RedisConnection, client: RedisClientIdentity): Promise<boolean> {
  return client.runId !== '' && client.runId === connection.runId && isListed(connection, client);
}

/** Whether the server that `connection` speaks to shows a client of that name under that number. */
export async function isListed(connection: RedisConnection, { id, name }: RedisClientIdentity): Promise<boolean> {
  // Redis before 6.2 lists all or nothing
  const listed =
    (await connection.callPermitted(undefined, 'CLIENT', 'LIST', 'ID', id)) ??
    (await connection.callPermitted('', 'CLIENT', 'LIST'));
  return nameIn(String(listed), id) === name;
}

/** The name of the client `id` in what CLIENT LIST answers; undefined when there is none. */
function nameIn(list: string, id: number): string | undefined {
  const line = list.split('\n').find((each) => each.startsWith(`id=${id} `));
  return line && / name=(\S*)/.exec(line)?.[1];
}
