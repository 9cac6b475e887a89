import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { FixedHistogram } from '../../../../../src/shared/metrics/histogram.js';

const buckets = [0.005, 0.1, 1, 7.5];
const labels = { worker_id: 'worker "1"' };
const description = { name: 'a_duration_seconds', help: 'How long it takes' };
/** On the bounds, between them and above the last. */
const observation = fc.oneof(fc.constantFrom(0, ...buckets), fc.double({ min: 0, max: 20, noNaN: true }));

/** As it crosses the channel to the primary; exemplars we have none, and bounds are text with us. */
function plain(metrics: unknown): unknown {
  const shown = (key: string, value: unknown): unknown => {
    if (key === 'exemplar') return undefined;
    return key === 'le' ? Number(value) : value;
  };
  return JSON.parse(JSON.stringify(metrics, shown));
}

test('a scrape, the JSON and `get` give what prom-client’s own histogram gives, with the bounds of the Python client', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { maxLength: 20 }), async (seconds) => {
      const registries = { ours: new Registry(), theirs: new Registry() };
      const ours = new FixedHistogram({ ...description, buckets, labels, registry: registries.ours });
      const theirs = new Histogram({
        ...description,
        buckets,
        labelNames: ['worker_id'],
        registers: [registries.theirs],
      });
      theirs.zero(labels);
      for (const value of seconds) {
        ours.add(value);
        theirs.observe(labels, value);
      }
      const text = await registries.theirs.metrics();
      expect(await registries.ours.metrics()).toBe(text.replaceAll('le="1"', 'le="1.0"'));
      expect(plain(await registries.ours.getMetricsAsJSON())).toEqual(
        plain(await registries.theirs.getMetricsAsJSON()),
      );
      expect(plain(await ours.get())).toEqual(plain(await theirs.get()));
    }),
  );
});
