/**
 * Puts renewed certificate files into use while the worker runs, and warns again as the ones in use near their end.
 *
 *   in use ──a file changed──▶ changing ──the same for a second──▶ read ──good──▶ in use
 *                                 ▲                                 └──bad──▶ refused: said once, tried at each look
 *                                 └──────────────a file changed──────────────────┘
 *
 * The second of rest keeps us from reading half a file, or a new certificate beside the former key. The files are looked
 * at, not listened to: Kubernetes swaps a link two folders up, of which a watcher on the file hears nothing.
 */
import { expiringCertificates } from '../domain/certificate-expiry.js';
import type { Clock } from '../shared/time/clock.js';
import { reasonOf } from '../shared/errors.js';
import type { Log } from '../shared/logger/log.js';
import type { Duty } from './duty-failures.js';
import { createRepeatingDuty } from './repeating-duty.js';

const REST_MS = 1_000;
/** Of the look at the dates, when the files are not looked at. */
const HOUR_MS = 3_600_000;
const TRY_AGAIN_MS = 10_000;

interface Dated {
  /** Milliseconds since the Unix epoch, by file. */
  readonly notAfter: readonly { readonly file: string; readonly notAfter: number }[];
}

export interface WatchedCertificates<Credentials extends Dated> {
  /** In use now. */
  readonly current: Credentials;
  /** Another text whenever one of the files is another than before; never throws. */
  stamp(): string;
  /** Reads and checks them. @throws CredentialsError */
  read(): Credentials;
  /** Whether that is what is in use already. */
  isCurrent(credentials: Credentials): boolean;
  /** From now on. May throw: then the former ones stay in use. */
  use(credentials: Credentials): void;
}

interface CertificateWatchOptions<Credentials extends Dated> {
  readonly certificates: WatchedCertificates<Credentials>;
  /** Taken before the ones in use were read: what changed between the two is seen as a change. */
  readonly stampWhenRead: string;
  /** Between two looks, ms; 0 = the files are read at the start only. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export function createCertificateWatch<C extends Dated>(options: CertificateWatchOptions<C>): Duty {
  const { clock, log } = options;
  const watch = new CertificateWatch(options);
  const step = async (): Promise<number> => watch.look();
  return createRepeatingDuty({ name: 'certificate watch', isVital: false, step, retryMs: TRY_AGAIN_MS, clock, log });
}

/** The duty without its timer. */
export class CertificateWatch<Credentials extends Dated> {
  readonly #options: CertificateWatchOptions<Credentials>;
  #used: string;
  #seen: string;
  #refusal: string | undefined;
  /** File and step of each warning that was given. */
  #warned = new Set<string>();

  constructor(options: CertificateWatchOptions<Credentials>) {
    this.#options = options;
    this.#used = this.#seen = options.stampWhenRead;
  }

  /** One look; returns the ms until the next. */
  look(): number {
    const { intervalMs } = this.#options;
    const changing = intervalMs > 0 && this.#lookAtFiles();
    this.#warnOfExpiry();
    if (changing) return REST_MS;
    return intervalMs > 0 ? intervalMs : HOUR_MS;
  }

  /** True = they were just changed. */
  #lookAtFiles(): boolean {
    const stamp = this.#options.certificates.stamp();
    const rested = stamp === this.#seen;
    this.#seen = stamp;
    if (!rested) return true;
    if (stamp !== this.#used) this.#readAgain(stamp);
    return false;
  }

  #readAgain(stamp: string): void {
    const { certificates, log } = this.#options;
    try {
      const credentials = certificates.read();
      if (!certificates.isCurrent(credentials)) this.#replace(credentials);
      this.#used = stamp;
      this.#refusal = undefined;
    } catch (error) {
      const refusal = reasonOf(error);
      if (refusal === this.#refusal) return;
      this.#refusal = refusal;
      log.error(`The changed certificate files are not used, what was read before stays in use: ${refusal}`);
    }
  }

  #replace(credentials: Credentials): void {
    const { certificates, log } = this.#options;
    certificates.use(credentials);
    this.#warned = new Set();
    const dates = credentials.notAfter.map(({ file, notAfter }) => `${file} until ${isoDay(notAfter)}`);
    log.info(`The certificate files were renewed and are in use: ${dates.join(', ')}`);
  }

  #warnOfExpiry(): void {
    const { certificates, clock, log } = this.#options;
    for (const { file, withinDays, text } of expiringCertificates(certificates.current, clock.wallNow())) {
      const step = `${withinDays} ${file}`;
      if (!this.#warned.has(step)) log.warn(text);
      this.#warned.add(step);
    }
  }
}

function isoDay(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
