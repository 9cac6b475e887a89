/**
 * From LPUSH to the POST at the sink. Producer and sink are in this process, so both ends are read from one clock; what
 * they cost counts into the latency, as does everything else on the machine.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { message, MESSAGE_BYTES } from './messages.js';
import { QUEUE, release, stage, startOurs } from './ours.js';
import type { Stand } from './stand.js';
import { quantile } from './statistics.js';

export interface Latency {
  readonly load: string;
  readonly messages: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LatencyPlan {
  readonly concurrency: number;
  readonly idleMessages: number;
  readonly seconds: number;
}

const WARM_UP = 3_000;
/** One after the other, this far apart. */
const IDLE_GAP_MS = 20;
const LOW_RATE = 100;
const SHARE_OF_MAXIMUM = 0.7;
const TICK_MS = 5;
const DEADLINE_MS = 30_000;

export async function measureLatency(stand: Stand, plan: LatencyPlan): Promise<Latency[]> {
  await stand.redis.flushall();
  const sink = await TimedSink.start(stand);
  const worker = await startOurs(stand, { concurrency: plan.concurrency, url: sink.url });
  try {
    const maximum = await maximumRate(stand, sink);
    const idle = await idleLatency(stand, sink, plan.idleMessages);
    const low = await latencyAt(stand, sink, LOW_RATE, plan.seconds);
    const rate = Math.round(maximum * SHARE_OF_MAXIMUM);
    const high = await latencyAt(stand, sink, rate, plan.seconds);
    return [
      summary('idle', idle),
      summary(`${LOW_RATE} messages/s`, low),
      summary(`70 % of the maximum (${rate} messages/s)`, high),
    ];
  } finally {
    await worker.stop();
    await sink.close();
  }
}

async function maximumRate(stand: Stand, sink: TimedSink): Promise<number> {
  await stage(stand, WARM_UP);
  await release(stand);
  await stage(stand, WARM_UP);
  const startedAt = performance.now();
  await release(stand);
  sink.forget();
  return (WARM_UP / (performance.now() - startedAt)) * 1_000;
}

async function idleLatency(stand: Stand, sink: TimedSink, count: number): Promise<number[]> {
  for (let sent = 1; sent <= count; sent++) {
    await push(stand, sink, 1);
    await sink.arrivals(sent);
    await sleep(IDLE_GAP_MS);
  }
  return sink.take();
}

/** Open loop: messages go out by the clock, however slowly they are taken. */
async function latencyAt(stand: Stand, sink: TimedSink, rate: number, seconds: number): Promise<number[]> {
  const startedAt = performance.now();
  let sent = 0;
  for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = performance.now() - startedAt) {
    const due = Math.floor((elapsed / 1_000) * rate) - sent;
    if (due > 0) await push(stand, sink, due);
    sent += Math.max(0, due);
    await sleep(TICK_MS);
  }
  await sink.arrivals(sent);
  return sink.take();
}

async function push({ redis }: Stand, sink: TimedSink, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => message(MESSAGE_BYTES));
  const texts = messages.map((one) => JSON.stringify(one));
  for (const { message_id } of messages) sink.sent(message_id);
  await redis.lpush(QUEUE, ...texts);
}

function summary(load: string, milliseconds: readonly number[]): Latency {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  return {
    load,
    messages: sorted.length,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1) ?? NaN,
  };
}

/** An https server that notes when each message came. */
class TimedSink {
  private readonly sentAt = new Map<string, number>();
  private latencies: number[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start({ certificates }: Stand): Promise<TimedSink> {
    const server = createServer({
      ca: readFileSync(certificates.caCert),
      cert: readFileSync(certificates.serverCert),
      key: readFileSync(certificates.serverKey),
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.keepAliveTimeout = 300_000;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const sink = new TimedSink(server, `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const arrivedAt = performance.now();
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"delivered"}');
        sink.arrived(body, arrivedAt);
      });
    });
    return sink;
  }

  sent(messageId: string): void {
    this.sentAt.set(messageId, performance.now());
  }

  /** Resolves when `count` messages arrived since the last `take`. */
  async arrivals(count: number): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (this.latencies.length < count) {
      if (performance.now() > deadline) throw new Error(`${this.latencies.length} of ${count} messages arrived.`);
      await sleep(1);
    }
  }

  take(): number[] {
    const latencies = this.latencies;
    this.forget();
    return latencies;
  }

  forget(): void {
    this.latencies = [];
    this.sentAt.clear();
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private arrived(body: string, arrivedAt: number): void {
    const { message_id } = JSON.parse(body) as { message_id: string };
    const sentAt = this.sentAt.get(message_id);
    if (sentAt !== undefined) this.latencies.push(arrivedAt - sentAt);
  }
}
