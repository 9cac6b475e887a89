/** As `GET /dead` gives each. */
export interface LetterSummary {
  readonly number: number;
  readonly key: string;
  readonly message_id: string | null;
  readonly reason: string;
  readonly error: string;
  readonly attempt_count: number;
  readonly worker_id: string;
  readonly dead_at: string | null;
  readonly size_bytes: number;
}

export interface LetterList {
  readonly total: number;
  readonly shown: number;
  readonly has_more: boolean;
  readonly letters: readonly LetterSummary[];
}

/** `GET /dead/<key>`. */
export interface LetterDetails extends LetterSummary {
  readonly message?: string;
  readonly message_base64?: string;
  readonly message_truncated: boolean;
}
