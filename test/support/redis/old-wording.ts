/**
 * A proxy that gives the error replies of a script the wording of Redis before 7, which puts the code into the middle of
 * the text. Takes the replies line by line: for tests whose values hold no line that begins so.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

const HOST = '127.0.0.1';

interface OldWordingProxy {
  readonly port: number;
  /** So many replies were reworded. */
  readonly reworded: number;
  /** Where new connections lead from now on. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

export async function startOldWordingProxy(targetPort: number): Promise<OldWordingProxy> {
  let target = targetPort;
  let reworded = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect({ port: target, host: HOST });
    for (const [from, to] of [
      [client, redis],
      [redis, client],
    ] as const) {
      open.add(from);
      from.on('error', () => undefined);
      from.once('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
    client.on('data', (bytes) => redis.write(bytes));
    redis.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const old = oldWording(text);
      if (old !== text) reworded++;
      client.write(Buffer.from(old, 'latin1'));
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get reworded() {
      return reworded;
    },
    leadTo: (port) => void (target = port),
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** `-READONLY You can't … script: 1f0a…, on @user_script:12.` as Redis 6 says it. */
function oldWording(replies: string): string {
  return replies.replaceAll(
    /^-([A-Z]+) (.*) script: ([0-9a-f]{40}), on @user_script:(\d+)\.\r$/gm,
    (_, code: string, text: string, sha: string, line: string) =>
      `-ERR Error running script (call to f_${sha}): @user_script:${line}: @user_script: ${line}: -${code} ${text}\r`,
  );
}
