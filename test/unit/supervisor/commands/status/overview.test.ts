import { expect, test } from 'vitest';
import { overview, statusText, type Room } from '../../../../../supervisor/commands/status/overview.js';
import { painted, widthOfLine } from '../../../../../supervisor/commands/status/drawing/line.js';
import { NO_ARRIVALS } from '../../../../../supervisor/status/arrivals-meter.js';
import { NO_TRAFFIC } from '../../../../../supervisor/status/traffic-meter.js';
import type { ArrivalsStatus, StatusDocument, WorkerStatus } from '../../../../../supervisor/status/status-document.js';
import { BACKOFF, factsOf } from '../../status/judgement/facts.js';
import { judged } from '../../../../../supervisor/status/judgement/judged.js';
import { Onsets } from '../../../../../supervisor/status/judgement/onsets.js';

const SMALL: Room = { columns: 80, rows: 23 };

function worker(id: string, more: Partial<WorkerStatus> = {}): Partial<WorkerStatus> {
  const measured = { cpu_percent: 12.4, memory_bytes: 90_000_000, event_loop_lag_seconds: 0.02 };
  return { id, pid: 4_711, uptime_seconds: 750, ...measured, processing: 1, delivered: 1_234, failed: 5, ...more };
}

function status(
  workers: readonly Partial<WorkerStatus>[],
  queue: Partial<StatusDocument['queue']> = {},
): StatusDocument {
  const sizes = { waiting: 12, processing: 3, retrying: 2, dead: 0, oldest_wait_seconds: 75 };
  return judged(factsOf(workers, { queue: { ...sizes, ...queue } }), new Onsets(), 0);
}

function shown(document: StatusDocument, room: Room): string {
  const lines = overview(document, room, { now: 0 });
  expect(lines.length).toBeLessThanOrEqual(room.rows);
  return lines.map((line) => painted(line, false)).join('\n');
}

function said(arrivals: Partial<ArrivalsStatus>): string | undefined {
  const lines = statusText(status([], { arrivals: { ...NO_ARRIVALS, ...arrivals } }));
  return lines.find((line) => line.startsWith('arriving'))?.replace(/ {3}delivered .* failed 0\.0\/s/, '');
}

test('what arrives is said once it is known, and whether the workers keep up with it', () => {
  expect(said({ arrived: 7 })).toBe('arriving unknown');
  expect(said({ arrived_per_second: 0, trend: 'none' })).toBe('arriving 0.0/s');
  expect(said({ arrived_per_second: 12.34, trend: 'growing' })).toBe('arriving 12.3/s   what waits grows');
  expect(said({ arrived_per_second: 5, trend: 'level' })).toBe('arriving 5.0/s   as much arrives as leaves');
  expect(said({ arrived_per_second: 5, trend: 'shrinking', caught_up_in_seconds: 54 })).toBe(
    'arriving 5.0/s   caught up in about 54s',
  );
});

test('whether the main server is slow', () => {
  const quantiles = (p95: number) => ({ p50: p95 / 2, p95, p99: p95 });
  const line = (p95: number) => {
    const traffic = { ...NO_TRAFFIC, delivered: 5, delivery_seconds: quantiles(p95) };
    return statusText(judged(factsOf([{}], { traffic }), new Onsets(), 0)).find((text) => text.startsWith('arriving'));
  };
  expect(line(0.0412)).toMatch(/ 95 % of attempts take up to 42 ms$/);
  expect(line(7.25)).toMatch(/ 95 % of attempts take up to 7\.3 s$/);
});

test('other hosts, where there are any', () => {
  const text = (alive: number, vanished: number) =>
    statusText({ ...status([{}]), fleet: { alive, vanished, stopped: 0, missing: [] } }).join('\n');
  expect(text(1, 0)).not.toContain('hosts');
  expect(text(2, 0)).toMatch(/ hosts 2 alive$/m);
  expect(text(1, 1)).toMatch(/ hosts 1 alive, 1 vanished$/m);
});

test('of a backlog that shrinks: since when, and that nothing has to be done', () => {
  const arrivals = { ...NO_ARRIVALS, trend: 'shrinking', caught_up_in_seconds: 54 } as const;
  const text = shown(status([{}], { waiting: 900, arrivals }), SMALL);
  expect(text).toMatch(
    /^FLOWING {2}the worker takes messages; 900 wait, caught up in about 54 s\n {2}since .*\n {2}Nothing has/,
  );
  expect(shown(status([{}]), SMALL)).not.toContain('since');
});

test('where messages are; unknown is no number', () => {
  expect(shown(status([worker('worker-1')]), SMALL)).toContain(
    '\n12 waiting, the oldest for 1m15s   3 of 4 in flight   2 retrying   0 dead\n',
  );
  const away = { redis_up: false, waiting: null, processing: null, retrying: null, dead: null };
  const text = shown(status([worker('worker-1')], away), SMALL);
  expect(text).toContain('\nwaiting, retrying and dead: unknown, Redis cannot be reached\n');
  expect(text).not.toMatch(/\d dead/);
  const uncounted = shown(status([worker('worker-1')], { ...away, redis_up: true }), SMALL);
  expect(uncounted).toContain('\nwaiting, retrying and dead: unknown, not counted\n');
});

test('columns go by importance where there is no room, and are named', () => {
  const document = status([worker('worker-1'), worker('worker-2')]);
  expect(shown(document, SMALL)).toMatch(
    /^WORKER +STATE +UP +CPU +MEMORY +IN FLIGHT +DELIVERED +FAILED +RESTARTS$[^]*a wider terminal also shows: pid, lag, retried, limited by, port/m,
  );
  expect(shown(document, { columns: 40, rows: 23 })).toMatch(/^WORKER +STATE +IN FLIGHT +DELIVERED$/m);
  expect(statusText(document).join('\n')).toMatch(/^WORKER +PID +STATE .* RESTARTS +LIMITED BY +PORT$/m);
});

test('no line of 80 columns is cut, with a long name and large numbers', () => {
  const large = { delivered: 123_456_789, failed: 1_234_567, retried: 1_234_567, restarts: 12 };
  const document = status([worker('message-broker-worker-1', large)], {
    ...{ name: 'a-queue-with-a-long-name', waiting: 1_234_567, processing: 64, retrying: 123_456, dead: 123_456 },
  });
  for (const columns of [60, 80, 100, 160]) {
    const lines = overview(document, { columns, rows: 50 }, { now: 0 });
    expect(Math.max(...lines.map(widthOfLine))).toBeLessThanOrEqual(columns);
    expect(lines.map((line) => painted(line, false)).join('\n')).toMatch(/\b123456 dead/);
  }
});

test('of many workers those in trouble stay, the rest is counted', () => {
  const many = Array.from({ length: 64 }, (_, at) => worker(`worker-${at + 1}`));
  many[50] = worker('worker-51', BACKOFF);
  const text = shown(status(many), SMALL);
  expect(text).toMatch(/^WORKER.*\nworker-51 +- +backoff/m);
  expect(text).toMatch(/^and \d\d more, all ready$/m);
  const all = many.map(({ id = '' }) => worker(id, { state: 'degraded', reasons: ['why'], causes: ['other'] }));
  expect(shown(status(all), SMALL)).toMatch(/^and (\d\d) more, \1 of them not ready$/m);
});

test('whatever the size, the cause and the first step are there', () => {
  const away = { redis_up: false, waiting: null, processing: null, retrying: null, dead: null };
  const hit: Partial<WorkerStatus> = {
    ...{ redis_up: false, state: 'degraded', consuming: false },
    ...{ reasons: ['Redis cannot be reached'], causes: ['redis'] },
  };
  const workers = Array.from({ length: 8 }, (_, at) => worker(`worker-${at + 1}`, hit));
  for (const room of [{ columns: 40, rows: 10 }, { columns: 80, rows: 8 }, SMALL]) {
    const text = shown(status(workers, away), room);
    expect(text).toMatch(/^STOPPED {2}.*Redis/);
    expect(text).toContain('message-broker-worker check');
  }
});

test('a text of somebody else moves nothing and is no line of its own', () => {
  const lines = overview(status([worker('w\x1b[2J\n1')], { name: 'q\x1b]0;x\x07' }), SMALL, { now: 0 });
  expect(lines.map((line) => painted(line, true)).join('')).not.toMatch(/\x1b(?!\[[\d;]*m)|[\n\x07]/);
});

test('of an outage: what, since when, what to do, without a word twice', () => {
  const hit = { state: 'degraded', consuming: false, breaker: 'open', breaker_reason: 'http_503' } as const;
  const workers = [worker('worker-1', { ...hit, next_look_seconds: 3, causes: ['main_server'], reasons: ['why'] })];
  const facts = factsOf(workers, { queue: { waiting: 5 } });
  const document = { ...judged(facts, new Onsets(), 0) };
  const since = { ...document, headline: { ...document.headline, since: '2026-01-15T10:30:45.000Z' } };
  const text = overview(since, SMALL, { now: Date.parse('2026-01-15T10:32:50Z') }).map((line) => painted(line, false));
  expect(text[0]).toMatch(/^STOPPED {2}the main server .*503/);
  expect(text.join('\n')).toContain('\n  since 2026-01-15 10:30:45 UTC, for 2 min 5 s; next look in 3 s\n');
  expect(text.join('\n').match(/main server/g)).toHaveLength(1);
});

test('a supervisor that was started before the package was replaced is not judged', () => {
  expect(statusText(factsOf([worker('worker-1')]) as StatusDocument)[0]).toMatch(
    /^UNKNOWN {2}the supervisor is of an earlier version \(1\)/,
  );
});
