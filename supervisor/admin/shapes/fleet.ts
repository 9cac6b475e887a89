/** The fleet as routes and commands show it: a part of the protocol. */

export interface FleetDocument {
  readonly schema_version: number;
  readonly queue: string;
  /** Now by Redis's clock; ISO 8601, UTC, as all times here. */
  readonly at: string;
  readonly alive: number;
  readonly vanished: number;
  readonly stopped: number;
  /** Those alive first, by name; then who has vanished and who has stopped, the latest first. */
  readonly members: readonly FleetMemberDocument[];
}

/** A supervisor, or a worker without one, as it last said; nobody else is shown, Python workers and version 1 neither. */
export interface FleetMemberDocument {
  readonly host: string;
  /** The supervisor's port, or the id of a worker alone. */
  readonly instance: string;
  readonly kind: 'supervisor' | 'worker';
  /** `vanished` = not a word for 15 s; `stopped` = a clean stop. Both are shown for a day. */
  readonly state: 'starting' | 'running' | 'reloading' | 'stopping' | 'stopped' | 'vanished';
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason: string | null;
  readonly pid: number;
  readonly version: string;
  readonly workers_ready: number;
  readonly workers_wanted: number;
  readonly delivered_per_second: number;
  /** Attempts. */
  readonly failed_per_second: number;
  readonly started_at: string;
  readonly last_seen_at: string;
  readonly silent_seconds: number;
}
