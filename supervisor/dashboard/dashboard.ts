import type { Life } from '../../src/shared/life.js';
import type { Clock } from '../../src/shared/time/clock.js';
import { route, type Route } from '../admin/route.js';
import type { History } from '../status/history.js';
import type { StatusDocument } from '../status/status-document.js';
import { verdictOf } from '../status/documents/verdict.js';
import { assetAnswer, pageAnswer } from './assets.js';
import { EventStream } from './event-stream.js';

interface DashboardOptions {
  readonly status: () => StatusDocument;
  readonly history: Pick<History, 'total' | 'since'>;
  /** SUPERVISOR_ADMIN_TOKEN is set; a reload may change it. */
  readonly hasToken: () => boolean;
  readonly clock: Clock;
}

/** The page, and the stream of what it shows. Nothing is measured here. */
export class Dashboard implements Life {
  readonly #events: EventStream;

  constructor({ status, history, hasToken, clock }: DashboardOptions) {
    const event = (document: StatusDocument) => ({
      at: clock.wallNow(),
      verdict: verdictOf(document),
      status: document,
      has_token: hasToken(),
    });
    this.#events = new EventStream({ history, status: () => event(status()), clock });
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
    this.#events.start();
  }

  stop(): Promise<void> {
    return this.#events.stop();
  }
}
