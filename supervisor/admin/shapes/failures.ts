/** Failed attempts as routes and commands show them: a part of the protocol. */

/** A failed attempt, as it is kept with its message. */
export interface FailureDocument {
  readonly at: string;
  readonly reason: string;
  readonly status: number | null;
  /** Its first 200 characters, without any that do not print; null = none was kept. */
  readonly answer: string | null;
  readonly worker_id: string;
}

/** Which failed attempts are put together, and by what; without a time those of the last hour. */
export interface FailureFields {
  readonly by?: 'reason' | 'client' | 'domain' | 'status';
  readonly since?: string;
  readonly newer_than_seconds?: number;
  readonly reason?: string;
  readonly client?: string;
  readonly domain?: string;
}

export interface FailuresDocument {
  readonly schema_version: 1;
  /** Counted by the hour: the beginning of the first one, ISO 8601. */
  readonly since: string;
  readonly by: 'reason' | 'client' | 'domain' | 'status';
  /** Of messages that have been delivered since, too. */
  readonly attempts: number;
  /** The most attempts first. */
  readonly groups: readonly FailureGroupDocument[];
  /** Further attempts of which only the number is known: there were more than 1,000 different ones in their hour. */
  readonly other_attempts: number;
}

export interface FailureGroupDocument {
  /** The reason, client, domain or status; null = the message does not say, or there was no answer. */
  readonly name: string | null;
  readonly attempts: number;
  readonly first_at: string;
  readonly last_at: string;
  readonly example_message_id: string;
  /** The most frequent first. */
  readonly reasons: readonly string[];
  readonly clients: number;
  readonly domains: number;
}
