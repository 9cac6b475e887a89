import type { Socket } from 'node:net';

interface Parser {
  onHeadersComplete(status: number, upgrade: boolean, shouldKeepAlive: boolean): number;
}

const CONTINUE = 100;
/** Any other interim answer that announces nothing. */
const PROCESSING = 102;

/**
 * Lets `socket` take a "100 Continue" that nobody asked for, as servers and proxies send it: HTTP bids clients to pass
 * over interim answers. undici does so with all but this one, which it takes for an error: each delivery would fail, and
 * be made again for ever.
 *
 * Reaches into the parser that undici 7.30 keeps at its socket under a symbol, since it offers no other way;
 * test/integration/delivery/odd-answers.test.ts shows that it works. Without such a parser nothing changes.
 */
export function takeUnaskedContinue(socket: Socket): void {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  const parser: unknown = key && Reflect.get(socket, key);
  if (!isParser(parser)) return;
  const onHeadersComplete = parser.onHeadersComplete.bind(parser);
  parser.onHeadersComplete = (status, upgrade, shouldKeepAlive) =>
    onHeadersComplete(status === CONTINUE ? PROCESSING : status, upgrade, shouldKeepAlive);
}

function isParser(value: unknown): value is Parser {
  const is = typeof value === 'object' && value !== null && 'onHeadersComplete' in value;
  return is && typeof value.onHeadersComplete === 'function';
}
