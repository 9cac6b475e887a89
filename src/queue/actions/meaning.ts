import type { Buffer } from 'node:buffer';
import { isUnfiltered, timeBoundsOf, type MessageFilter } from '../../domain/filter/message-filter.js';
import { parseQueuedAt } from '../../domain/queued-at.js';
import { scannedTexts } from '../../domain/scanned-texts.js';

interface Candidate {
  readonly raw: Buffer;
  /** Where it is known without the message. */
  readonly messageId?: string;
  /** Of a retry, ms since the Unix epoch. */
  readonly dueAt?: number;
}

const FIELDS = ['message_id', 'client_id', 'domain', 'queued_at'];
/** The fields stand at the front; of a message of hundreds of MB no more than this is looked at. */
const SCANNED_BYTES = 1_048_576;

/** Whether a filter means messages that wait, for a worker or for their retry. */
export class Meaning {
  readonly #filter: MessageFilter;
  readonly #isAny: boolean;
  readonly #ids: ReadonlySet<string> | undefined;
  readonly #from: number;
  readonly #to: number;
  readonly #dueBy: number;
  readonly #needsFields: boolean;

  /** @param nowMs Redis's clock. */
  constructor(filter: MessageFilter, nowMs: number) {
    const { from, to } = timeBoundsOf(filter, nowMs);
    this.#filter = filter;
    this.#isAny = isUnfiltered(filter);
    this.#ids = filter.ids && new Set(filter.ids);
    this.#from = from;
    this.#to = to;
    this.#dueBy = filter.dueWithinMs === undefined ? Infinity : nowMs + filter.dueWithinMs;
    this.#needsFields = this.#isTimed || filter.client !== undefined || filter.domain !== undefined;
  }

  isMeant({ raw, messageId, dueAt }: Candidate): boolean {
    if (this.#isAny) return true;
    if (dueAt === undefined ? this.#dueBy !== Infinity : dueAt > this.#dueBy) return false;
    if (messageId !== undefined && !this.#isIdMeant(messageId)) return false;
    if (this.#filter.text !== undefined && !raw.includes(this.#filter.text)) return false;
    return messageId !== undefined && !this.#needsFields ? true : this.#areFieldsMeant(raw);
  }

  get #isTimed(): boolean {
    return this.#from !== -Infinity || this.#to !== Infinity;
  }

  #isIdMeant(id: string | undefined): boolean {
    if (this.#ids && (id === undefined || !this.#ids.has(id))) return false;
    return this.#filter.idPrefix === undefined || id?.startsWith(this.#filter.idPrefix) === true;
  }

  #areFieldsMeant(raw: Buffer): boolean {
    const fields = scannedTexts(raw.subarray(0, SCANNED_BYTES), FIELDS);
    const { client, domain } = this.#filter;
    if (!this.#isIdMeant(fields['message_id'])) return false;
    if (client !== undefined && fields['client_id'] !== client) return false;
    if (domain !== undefined && fields['domain'] !== domain) return false;
    if (!this.#isTimed) return true;
    const queuedAt = parseQueuedAt(fields['queued_at']);
    return queuedAt !== undefined && queuedAt >= this.#from && queuedAt <= this.#to;
  }
}
