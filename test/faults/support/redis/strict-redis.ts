/**
 * A proxy before Redis that makes of it a server that refuses a script every key which it was not given in KEYS, as
 * Dragonfly and some managed services do: it puts a guard before the text of each script, in its first line.
 */
import { createHash } from 'node:crypto';
import { startTcpProxy } from '../../../support/tcp-proxy.js';

const GUARD = `local redis = (function(real, keys)
local given = {} for _, key in ipairs(keys) do given[key] = true end
local function checked(name) return function(command, key, ...)
local named = command == 'MEMORY' and ... or key
if command ~= 'TIME' and command ~= 'SCAN' and not given[named] then error('script tried accessing undeclared key ' .. tostring(named)) end
if key == nil then return real[name](command) end
return real[name](command, key, ...) end end
return setmetatable({ call = checked('call'), pcall = checked('pcall') }, { __index = real }) end)(redis, KEYS) `.replaceAll(
  '\n',
  ' ',
);

interface StrictRedis {
  readonly port: number;
  /** Scripts that were guarded. */
  readonly guarded: number;
  close(): Promise<void>;
}

export async function startStrictRedis(targetPort: number): Promise<StrictRedis> {
  const hashes = new Map<string, string>();
  const proxy = await startTcpProxy(targetPort, { passageOf: () => ({ request: guardOf(hashes) }) });
  return {
    port: proxy.port,
    get guarded() {
      return hashes.size;
    },
    close: () => proxy.close(),
  };
}

/** Of one connection. Hands on whole requests. */
function guardOf(hashes: Map<string, string>): (bytes: Buffer) => Buffer {
  let held = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    const whole: Buffer[] = [];
    for (let request = firstRequest(held); request; request = firstRequest(held)) {
      whole.push(encoded(guarded(request.words, hashes)));
      held = held.subarray(request.bytes);
    }
    return Buffer.concat(whole);
  };
}

/** The first whole request (RESP2 array of bulk strings) in `bytes`. */
function firstRequest(bytes: Buffer): { readonly words: Buffer[]; readonly bytes: number } | undefined {
  const line = lineAt(bytes, 0);
  if (!line) return undefined;
  const words: Buffer[] = [];
  let at = line.end;
  for (let word = 0; word < Number(line.text.slice(1)); word += 1) {
    const head = lineAt(bytes, at);
    if (!head) return undefined;
    const end = head.end + Number(head.text.slice(1));
    if (bytes.length < end + 2) return undefined;
    words.push(bytes.subarray(head.end, end));
    at = end + 2;
  }
  return { words, bytes: at };
}

function lineAt(bytes: Buffer, from: number): { readonly text: string; readonly end: number } | undefined {
  const end = bytes.indexOf('\r\n', from);
  return end < 0 ? undefined : { text: bytes.toString('latin1', from, end), end: end + 2 };
}

/** Redis knows a script by the hash of what it was sent; one it does not know makes the client send the text. */
function guarded(words: readonly Buffer[], hashes: Map<string, string>): readonly Buffer[] {
  const [command, script, ...rest] = words;
  if (!command || !script) return words;
  switch (command.toString().toLowerCase()) {
    case 'eval': {
      const text = Buffer.concat([Buffer.from(GUARD), script]);
      hashes.set(sha1(script), sha1(text));
      return [command, text, ...rest];
    }
    case 'evalsha':
      return [command, Buffer.from(hashes.get(script.toString()) ?? '0'.repeat(40)), ...rest];
    default:
      return words;
  }
}

function encoded(words: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) parts.push(Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n'));
  return Buffer.concat(parts);
}

function sha1(text: Buffer): string {
  return createHash('sha1').update(text).digest('hex');
}
