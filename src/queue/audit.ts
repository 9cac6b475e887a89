/** The audit: who did what. A side book: what Redis refuses is not written down, and is done all the same. */
import type { Buffer } from 'node:buffer';
import { auditFields, readAuditEntry, type AuditEntry, type Deed } from '../domain/audit/deed.js';
import { reasonOf } from '../shared/errors.js';
import type { RedisConnection } from './connection/connection.js';
import type { RedisKeys } from './keys.js';
import { SIDE_BOOKS_FULL, type SideBooks } from './side-books.js';

export interface Audit {
  /** Resolves to why it was not written down, if it was not. Never rejects. */
  note(deed: Deed): Promise<string | undefined>;
  /** The newest first. @param sinceMs by the clock of Redis. Rejects with RedisUnavailableError. */
  list(limit: number, sinceMs?: number): Promise<readonly AuditEntry[]>;
}

/** About: Redis removes whole blocks of some hundred entries. */
const MOST_ENTRIES = 10_000;
/** What Redis reads of it in one step, some 2 ms. */
const PAGE = 1_000;

export function createAudit(
  connection: RedisConnection,
  { audit }: RedisKeys,
  sideBooks: Pick<SideBooks, 'look' | 'mayGrow'>,
): Audit {
  return {
    async note(deed) {
      try {
        await sideBooks.look();
        if (!sideBooks.mayGrow) return SIDE_BOOKS_FULL;
        await connection.call('XADD', audit, 'MAXLEN', '~', MOST_ENTRIES, '*', ...auditFields(deed));
        return undefined;
      } catch (error) {
        return reasonOf(error);
      }
    },

    async list(limit, sinceMs) {
      const entries: AuditEntry[] = [];
      for (let newest = '+'; entries.length < limit;) {
        const wanted = Math.min(PAGE, limit - entries.length);
        const reply = await connection.call('XREVRANGE', audit, newest, sinceMs ?? '-', 'COUNT', wanted);
        const page = (reply as [Buffer, Buffer[]][]).map(([id, fields]) =>
          readAuditEntry(String(id), fields.map(String)),
        );
        entries.push(...page);
        const before = idBefore(page.at(-1)?.id ?? '');
        if (page.length < wanted || before === undefined) break;
        newest = before;
      }
      return entries;
    },
  };
}

/** Redis before 6.2 knows no bounds that exclude. */
function idBefore(id: string): string | undefined {
  const [ms = '', number = ''] = id.split('-');
  if (number !== '0' && number !== '') return `${ms}-${BigInt(number) - 1n}`;
  return BigInt(ms || 0) > 0n ? String(BigInt(ms) - 1n) : undefined;
}
