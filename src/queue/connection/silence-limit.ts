/**
 * How long a connection may be silent. A silent one is dead, unless our own bytes are still on their way: 1 MB takes 20 s
 * over the slowest link that we mean to serve, and no reply can come before its end. What the system has yet to send is not
 * shown to us, so each byte in a command that waits for its reply buys time.
 *
 * Relies on ioredis 6.0.0: the client reads `socketTimeout` whenever it begins to wait, with a command and with each reply.
 */
import type { Buffer } from 'node:buffer';
import { Cluster } from 'ioredis';
import type { RedisClient } from './client.js';

/** 50 KB/s. */
const SLOWEST_BYTES_PER_MS = 50;
/** What is smaller buys no time: 0.16 s at most. Of exchanges that is nearly every one, and they come 3,000 times a second. */
const SMALL_BYTES = 8_192;

export class SilenceLimit {
  readonly #silenceMs: number;
  #bytesUnderWay = 0;

  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  /** A command leaves; `end` is to be told what this returns. */
  begin(client: RedisClient, args: readonly (string | Buffer | number)[]): number {
    let bytes = 0;
    for (const argument of args) if (typeof argument !== 'number') bytes += argument.length;
    if (bytes < SMALL_BYTES) return 0;
    this.#change(client, bytes);
    return bytes;
  }

  /** Its reply is there, or it never comes. */
  end(client: RedisClient, begun: number): void {
    if (begun > 0) this.#change(client, -begun);
  }

  #change(client: RedisClient, bytes: number): void {
    this.#bytesUnderWay += bytes;
    const silenceMs = this.#silenceMs + Math.floor(this.#bytesUnderWay / SLOWEST_BYTES_PER_MS);
    for (const node of client instanceof Cluster ? client.nodes() : [client]) node.options.socketTimeout = silenceMs;
  }
}
