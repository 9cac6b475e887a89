/** One start of a redis-server: a process that answers, or the reason why there is none. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { endWith, endWithUs, hasEnded } from './child-process.js';

export const HOST = '127.0.0.1';
const DEADLINE_MS = 10_000;
const LOOK_EVERY_MS = 10;
const ANSWER_DEADLINE_MS = 500;
/** The last lines of what an ended process said may still be on their way. */
const LAST_WORDS_MS = 20;

interface RedisLaunchOptions {
  readonly binary: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly ownGroup: boolean;
}

/** Another process listens there. */
export class PortTakenError extends Error {}

/** Resolves when it answers. @throws PortTakenError, or an Error with its last words */
export async function launchRedis({ binary, args, port, ownGroup }: RedisLaunchOptions): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: ownGroup });
  endWithUs(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void (output = (output + chunk.toString()).slice(-4_096)));
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await answersPing(port, child))) {
    if (failure) throw failure;
    if (hasEnded(child)) {
      await sleep(LAST_WORDS_MS);
      if (/Address already in use|bind: /i.test(output)) throw new PortTakenError(`Port ${port} is taken`);
      throw new Error(`${binary} ended at start: ${output.trim()}`);
    }
    if (performance.now() > deadline) {
      await endWith(child, 'SIGKILL');
      throw new Error(`${binary} did not answer on port ${port} within ${DEADLINE_MS} ms: ${output.trim()}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return child;
}

/** One PING over a raw socket. +PONG, -NOAUTH and -NOPERM all say: it serves. -LOADING does not. */
function answersPing(port: number, child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST, timeout: ANSWER_DEADLINE_MS });
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered && !hasEnded(child));
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => finish(/^(\+PONG|-NOAUTH|-NOPERM)/.test(data.toString())));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
    socket.once('close', () => finish(false));
  });
}
