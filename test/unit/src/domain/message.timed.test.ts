/** What a hostile message may cost the loop that reads it. */
import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { deadLetter, readDeadLetter } from '../../../../src/domain/dead-letters/dead-letter.js';
import { indexLine } from '../../../../src/domain/dead-letters/index-line.js';
import { parseMessage } from '../../../../src/domain/message.js';

const LOOP_MS = 1_000;

/** Of this thread, whoever else has the machine. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

test('50 MB of nothing but NaN are read within a second', () => {
  const raw = Buffer.from(`{"message_id":"a","x":[${'NaN,'.repeat(12_500_000)}1]}`);
  const read = () => cpuMs(() => expect(parseMessage(raw)).toMatchObject({ ok: true }));
  // others who use the same caches only add to it
  expect(Math.min(read(), read(), read())).toBeLessThan(LOOP_MS);
});

test('a message over the limit is refused at once, buried and listed in milliseconds', () => {
  const raw = Buffer.alloc(200_000_000, '[');
  let stored: Buffer = Buffer.of();
  const took = cpuMs(() => {
    expect(parseMessage(raw, 67_108_864)).toEqual({
      ok: false,
      problem: 'The message is larger than MESSAGE_MAX_BYTES.',
    });
    stored = deadLetter({ raw, reason: 'malformed', error: '', attemptCount: 0, workerId: 'w', deadAt: 0 });
    expect(indexLine('u', readDeadLetter(stored))).toBe('u malformed   ');
    expect(readDeadLetter(stored.subarray(0, 131_072), stored.length)).toMatchObject({ rawBytes: raw.length });
  });
  expect(took).toBeLessThan(LOOP_MS);
});
