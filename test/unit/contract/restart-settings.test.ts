import { expect, test } from 'vitest';

import { SETTINGS } from '../../../src/shared/config/settings/settings.js';
import { document } from './markdown.js';

test('docs/reference.md names the settings that wait for a restart of the supervisor', () => {
  const sentence = /and\s+((?:`[A-Z_]+`(?:,\s+|\s+and\s+)?)+)\s+wait for a restart/.exec(
    document('docs/reference.md').text,
  )?.[1];
  const named = [...(sentence ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name);
  const waiting = SETTINGS.filter(({ restart }) => restart === true).map(({ env }) => env);
  expect(named.toSorted()).toEqual(waiting.toSorted());
});
