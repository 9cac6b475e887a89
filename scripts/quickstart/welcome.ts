/** What the quickstart says when all runs: where everything is. */
import { isAbsolute, join, relative } from 'node:path';
import { LIKE_ORIGINAL } from '../main-server/faults.js';
import { RETRY_INTERVAL_S } from './config.js';
import type { QuickstartOptions } from './options.js';
import { count } from './progress.js';
import type { Stack } from './stack.js';

export function welcome(
  { config, folder, redisText, server, readyMs }: Stack,
  { workers, failRate, likeOriginal, messages }: QuickstartOptions,
): string[] {
  const { metrics, supervisor, logging } = config;
  const ports = Array.from({ length: workers }, (_, index) => metrics.port + index);
  const share = Math.round(failRate * 1_000) / 10;
  return [
    `${workers} ${workers === 1 ? 'worker' : 'workers'} ready in ${(readyMs / 1_000).toFixed(1)} s`,
    `  Redis          ${redisText}`,
    `  main server    ${server.url} (mutual TLS; fails ${share} % of the deliveries)`,
    ...(likeOriginal ? [`                 ${likeOriginalText(config.worker.concurrency)}`] : []),
    `  dashboard      http://127.0.0.1:${supervisor.port}/`,
    `  status         http://127.0.0.1:${supervisor.port}/status`,
    ...ports.map((port, index) => `  metrics        http://127.0.0.1:${port}/metrics (worker-${index + 1})`),
    `  log            ${shownPath(join(folder.logs, logging.fileName))}`,
    '',
    `${count(messages)} messages; a failed delivery is repeated after ${RETRY_INTERVAL_S} s (the default is 30 s)`,
  ];
}

function likeOriginalText(concurrency: number): string {
  const { serialMs, poolSize, freezeMs, unknownForMs, unknownSpreadMs } = LIKE_ORIGINAL;
  return (
    `as the real one: one delivery at a time, ${serialMs} ms each; frozen for ${freezeMs / 1_000} s by each beyond ${poolSize} in flight; ` +
    `knows a message ${unknownForMs} to ${unknownForMs + unknownSpreadMs} ms late. Each worker may have ${concurrency} in flight`
  );
}

/** From where the user stands, if it is below. */
export function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}
