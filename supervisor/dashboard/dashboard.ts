/** What the dashboard needs in the primary: the measurements every two seconds, and the routes that show them. */
import type { Clock, Timer } from '../../src/shared/time/clock.js';
import { route, type Route } from '../admin/route.js';
import type { ErrorStatus, StatusDocument, TrafficStatus } from '../status/status-document.js';
import { verdictOf } from '../status/verdict.js';
import { assetAnswer, pageAnswer } from './assets.js';
import { EventStream } from './event-stream.js';
import { History, SAMPLE_EVERY_MS, sampleOf } from '../status/history.js';
import type { StatusEvent } from '../status/status-events.js';
import { TrafficMeter, type Metered } from '../status/traffic-meter.js';

export interface DashboardParams {
  readonly status: () => StatusDocument;
  /** All that live. */
  readonly processes: () => readonly Metered[];
  readonly clock: Clock;
}

export class Dashboard {
  readonly #params: DashboardParams;
  readonly #history = new History();
  readonly #meter = new TrafficMeter(SAMPLE_EVERY_MS);
  readonly #events: EventStream;
  #timer: Timer | undefined;

  constructor(params: DashboardParams) {
    this.#params = params;
    const { clock, status } = params;
    this.#events = new EventStream({ history: this.#history, status: () => eventOf(status(), clock.wallNow()), clock });
  }

  get traffic(): TrafficStatus {
    return this.#meter.traffic;
  }

  errors(): readonly ErrorStatus[] {
    return this.#meter.errors(this.#params.clock.now());
  }

  routes(): readonly Route[] {
    return [
      route('page', () => pageAnswer()),
      route('pageFile', ({ params }) => assetAnswer(params.file)),
      route('pageFolderFile', ({ params }) => assetAnswer(`${params.folder}/${params.file}`)),
      route('events', () => this.#events.answer()),
    ];
  }

  start(): void {
    this.#timer ??= this.#params.clock.every(SAMPLE_EVERY_MS, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#events.stop();
  }

  #look(): void {
    const { clock, processes, status } = this.#params;
    this.#meter.look(processes(), clock.now());
    this.#history.add(sampleOf(status(), clock.wallNow()));
  }
}

function eventOf(status: StatusDocument, at: number): StatusEvent {
  return { at, verdict: verdictOf(status), status };
}
