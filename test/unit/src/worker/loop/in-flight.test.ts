import { afterEach, expect, test } from 'vitest';
import { UNREGISTERED } from '../../../../support/main-server/scripted-main-server.js';
import { closeCores, createCore, message } from '../core.js';

afterEach(closeCores);

test('many that wait to be asked for again are no leak to Node, which warns of more than ten', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  const { workLoop, queue, server, clock } = createCore({ concurrency: 20, batchSize: 20 });
  const queued_at = new Date(clock.wallNow()).toISOString();
  server.answerPosts(UNREGISTERED);
  queue.push(...Array.from({ length: 20 }, (_, at) => message(`m${at}`, { queued_at })));
  workLoop.start();
  await clock.advance(60);
  expect(server.posts).toHaveLength(3 * 20);
  process.off('warning', note);
  expect(warnings).toEqual([]);
});
