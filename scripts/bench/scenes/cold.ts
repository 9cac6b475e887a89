/** The first messages of a new process, beside BullMQ's: what a restart, a reload or a crash costs. */
import type { Contender } from '../contenders/contender.js';
import { measure, turnsOf, type Sample } from '../measure/throughput.js';
import type { Stand } from '../stand.js';

interface ColdOptions {
  readonly contenders: readonly Contender[];
  readonly concurrencies: readonly number[];
  readonly runs: number;
  readonly messages: number;
  readonly onSample: (sample: Sample) => void;
}

/** A sample's `round` is the run: in each, every contender is started anew. */
export async function measureCold(stand: Stand, options: ColdOptions): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const concurrency of options.concurrencies) {
    for (let round = 0; round < options.runs; round++) {
      for (const contender of turnsOf(options.contenders, round)) {
        const sample = {
          ...(await firstMessages(stand, contender, concurrency, options.messages)),
          concurrency,
          round,
        };
        samples.push(sample);
        options.onSample(sample);
      }
    }
  }
  return samples;
}

async function firstMessages(stand: Stand, contender: Contender, concurrency: number, messages: number) {
  await stand.redis.flushall();
  const running = await contender.start(stand, { concurrency });
  try {
    return await measure(stand, { name: contender.name, running }, messages);
  } finally {
    await running.stop();
  }
}
