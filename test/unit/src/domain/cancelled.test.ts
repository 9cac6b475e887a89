import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { cancelMarker, isCancelMarker } from '../../../../src/domain/cancelled.js';
import { parseMessage } from '../../../../src/domain/message.js';

test('a marker is known as one, and is no message to workers that know none', () => {
  const marker = Buffer.from(cancelMarker('0123456789ab-1z'));
  expect(isCancelMarker(marker)).toBe(true);
  expect(parseMessage(marker)).toMatchObject({ ok: false });
});

test.each([
  '{"cancelled":"0123456789ab-1z","message_id":"m"}',
  '{"cancelled": "0123456789ab-1z"}',
  '{"cancelled":true}',
  `{"cancelled":"${'a'.repeat(60)}"}`,
  '{"cancelled":"0123456789AB-1z"}',
  '{"cancelled":"0123456789ab-1z"}\n',
  '',
])('what only looks like one is a message: %j', (text) => {
  expect(isCancelMarker(Buffer.from(text))).toBe(false);
});
