import { VirtualClock } from '../../../support/virtual-clock.js';
import { afterEach, expect, test } from 'vitest';

import { SignalInbox } from '../../../../supervisor/primary/signals.js';

const clock = new VirtualClock();
const inbox = new SignalInbox(clock, () => undefined);

afterEach(() => inbox.stop());

test('SIGINTs within half a second are one Ctrl-C, and impatient ones count all the same', () => {
  inbox.start();
  for (let presses = 0; presses < 5; presses++) {
    process.emit('SIGINT');
    clock.pass(300);
  }
  expect(inbox.take().map(({ action }) => action)).toEqual(['stop', 'stop', 'stop']);
});
