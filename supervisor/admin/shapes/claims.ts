/** What the workers of a supervisor have claimed, as they say it: a part of the protocol. */

export interface ClaimsDocument {
  readonly schema_version: number;
  /** Of those that have answered. */
  readonly workers: readonly WorkerClaims[];
}

export interface WorkerClaims {
  /** The names under which it holds them in Redis. */
  readonly consumers: readonly string[];
  /** Message ids, one for each copy: delivery has begun. */
  readonly begun: readonly string[];
  /** It has not. */
  readonly held: readonly string[];
}
