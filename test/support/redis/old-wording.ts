/**
 * A proxy that gives the error replies of a script the wording of Redis before 7, which puts the code into the middle of
 * the text. Takes the replies line by line: for tests whose values hold no line that begins so.
 */
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.js';

interface OldWordingProxy {
  readonly proxy: TcpProxy;
  /** So many replies were reworded. */
  readonly reworded: number;
}

export async function startOldWordingProxy(targetPort: number): Promise<OldWordingProxy> {
  let reworded = 0;
  const reply = (bytes: Buffer): Buffer => {
    const text = bytes.toString('latin1');
    const old = oldWording(text);
    if (old !== text) reworded++;
    return Buffer.from(old, 'latin1');
  };
  const proxy = await startTcpProxy(targetPort, { passageOf: () => ({ reply }) });
  return {
    proxy,
    get reworded() {
      return reworded;
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
