/**
 * A connection as node:http sees it. It hands over one request at a time: the next one only after the answer before it has
 * been taken, and when the client may ask again. Until then the bytes stay unread. (node:http by itself parses whatever has
 * come: 64 KB of pipelined requests are 2,500 requests with an answer each, before anybody can say no.)
 *
 * Half a close by the client is passed on once its requests are answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

interface PacedSocketOptions {
  readonly socket: Socket;
  /** Asked before each request, with what has come of it; calls back now or later. @returns what takes the question back. */
  readonly admit: (head: Buffer, begin: () => void) => () => void;
  /** Called with the first byte: from then on it is node:http's. */
  readonly serve: (socket: PacedSocket) => void;
}

/** Holds a request's head or a part of one. A piece of that length may hold some 40 tiny requests at most. */
const PIECE_BYTES = 1_024;
/** More is not taken from the network. */
const HELD_BYTES = 16_384;
const CR = 13;
const LF = 10;
const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

export class PacedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #options: PacedSocketOptions;
  /** As of the socket of net, which forgets it when the peer hangs up. */
  readonly remoteAddress: string | undefined;
  readonly #inHand = new Map<IncomingMessage, ServerResponse>();
  #held: Buffer = NOTHING;
  #isServed = false;
  #admission: 'none' | 'asked' | 'given' = 'none';
  #withdraw: (() => void) | undefined;
  #peerHasEnded = false;

  constructor(options: PacedSocketOptions) {
    super({ allowHalfOpen: true, emitClose: true });
    this.#options = options;
    this.#socket = options.socket;
    this.remoteAddress = options.socket.remoteAddress;
    this.#socket
      .on('data', (chunk) => this.#hold(chunk))
      .on('end', () => {
        this.#peerHasEnded = true;
        this.#feed();
      })
      .on('timeout', () => {
        if (this.#isServed) this.emit('timeout');
        else this.destroy();
      })
      .on('error', (error) => this.destroy(this.#isServed ? error : undefined))
      .on('close', () => this.destroy());
    // node:http pauses while a body is not read
    this.on('resume', () => this.#feed());
  }

  /** The client sends nothing more: as a rule it has gone. */
  get hasHungUp(): boolean {
    return this.#peerHasEnded || this.destroyed;
  }

  /** Without a request that is being answered. */
  get isIdle(): boolean {
    return this.#inHand.size === 0;
  }

  /** An answer has begun and goes on. */
  get isStreaming(): boolean {
    return [...this.#inHand.values()].some(({ headersSent, writableEnded }) => headersSent && !writableEnded);
  }

  /** node:http tells of each request it has read. */
  began(request: IncomingMessage, response: ServerResponse): void {
    this.#inHand.set(request, response);
    this.#admission = 'none';
    response.once('close', () => {
      this.#inHand.delete(request);
      this.#feed();
    });
  }

  setTimeout(ms: number, listener?: () => void): this {
    this.#socket.setTimeout(ms);
    if (listener !== undefined) this.once('timeout', listener);
    return this;
  }

  /** As of net.Socket: node:http ends a connection so that is not to be used again. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    // bytes are pushed as they may be read
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer | string; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.cork();
    for (const [at, { chunk, encoding }] of chunks.entries()) {
      if (at === chunks.length - 1) this.#socket.write(chunk, encoding, done);
      else this.#socket.write(chunk, encoding);
    }
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#withdraw?.();
    this.#held = NOTHING;
    this.#socket.destroy();
    done(error);
  }

  #hold(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (!this.#isServed) {
      this.#isServed = true;
      this.#options.serve(this);
    }
    this.#feed();
    if (this.#held.length > HELD_BYTES) this.#socket.pause();
  }

  #feed(): void {
    while (this.#canTake() && this.#held.length > 0 && this.#mayTake()) this.push(this.#piece());
    if (this.#held.length <= HELD_BYTES && this.#socket.isPaused()) this.#socket.resume();
    if (this.#peerHasEnded && !this.readableEnded && this.#hasNothingToAnswer()) this.push(null);
  }

  /** Pushed so, bytes have been parsed when `push` returns. */
  #canTake(): boolean {
    return this.readableFlowing === true && this.readableLength === 0 && !this.destroyed;
  }

  #mayTake(): boolean {
    if (this.#inHand.size > 0) return [...this.#inHand.keys()].some(({ complete }) => !complete);
    if (this.#admission === 'given') return true;
    this.#skipBlankLines();
    if (this.#held.length === 0 || this.#admission === 'asked') return false;
    this.#admission = 'asked';
    this.#withdraw = this.#options.admit(this.#held, () => {
      this.#admission = 'given';
      this.#withdraw = undefined;
      setImmediate(() => this.#feed());
    });
    return false;
  }

  /** They may stand before a request, but nobody sends many. */
  #skipBlankLines(): void {
    let at = 0;
    while (this.#held[at] === CR || this.#held[at] === LF) at += 1;
    if (at > PIECE_BYTES) this.destroy();
    this.#held = this.#held.subarray(at);
  }

  /** Of a head not more than to its end. */
  #piece(): Buffer {
    const most = this.#held.subarray(0, PIECE_BYTES);
    const end = this.#inHand.size > 0 ? -1 : most.indexOf(HEAD_END);
    const piece = end < 0 ? most : most.subarray(0, end + HEAD_END.length);
    this.#held = this.#held.subarray(piece.length);
    return piece;
  }

  #hasNothingToAnswer(): boolean {
    if (this.#held.length > 0 && !this.destroyed) return false;
    return [...this.#inHand.values()].every(({ headersSent }) => headersSent);
  }
}
