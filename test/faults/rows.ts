import { ANSWER_ROWS } from './rows/answers.js';
import { CERTIFICATE_ROWS } from './rows/certificates.js';
import { CLOCK_ROWS } from './rows/clocks.js';
import { CRASH_ROWS } from './rows/crash.js';
import { ENVIRONMENT_ROWS } from './rows/environment.js';
import { FILE_ROWS } from './rows/supervisor/files.js';
import { FLOOD_ROWS } from './rows/supervisor/flood.js';
import { HANG_ROWS } from './rows/hang.js';
import { HOSTILE_ROWS } from './rows/hostile.js';
import { MASS_KILL_ROWS } from './rows/mass-kill.js';
import { PRIMARY_ROWS } from './rows/supervisor/primary.js';
import { REFUSING_REDIS_ROWS } from './rows/redis/refuses.js';
import { REDIS_ELSEWHERE_ROWS } from './rows/redis/elsewhere.js';
import { KEY_ROWS } from './rows/redis/keys.js';
import { LIMITED_REDIS_ROWS } from './rows/redis/limited.js';
import { ODD_REDIS_ROWS } from './rows/redis/odd.js';
import { REDIS_ROWS } from './rows/redis/outages.js';
import { SLOW_LINE_ROWS } from './rows/redis/slow-line.js';
import { RELOAD_ROWS } from './rows/supervisor/reload.js';
import { SCHEDULE_ROWS } from './rows/schedule.js';
import { BAD_ANSWER_ROWS } from './rows/server/bad-answers.js';
import { FLOW_ROWS } from './rows/server/flow.js';
import { LAST_WORD_ROWS } from './rows/server/last-word.js';
import { MOVED_ROWS } from './rows/server/moved.js';
import { PAUSE_ROWS } from './rows/supervisor/pause.js';
import { BULK_ACTION_ROWS } from './rows/operator/bulk-actions.js';
import { TOLD_MEANWHILE_ROWS } from './rows/operator/told-meanwhile.js';
import { OUTAGE_ROWS } from './rows/server/outages.js';
import { SEVERAL_ROWS } from './rows/several.js';
import { SOAK_ROW } from './rows/soak.js';
import { STOP_ROWS } from './rows/supervisor/stop.js';
import { STOPPED_ROWS } from './rows/stopped.js';
import { SUPERVISOR_ROWS } from './rows/supervisor/control.js';
import type { Row } from './support/row.js';

/** Played only when they are named. */
export const LONG_ROWS: readonly Row[] = [SOAK_ROW];

/** The whole matrix, in its order. */
export const ROWS: readonly Row[] = [
  ...CRASH_ROWS,
  ...CLOCK_ROWS,
  ...SCHEDULE_ROWS,
  ...MASS_KILL_ROWS,
  ...HANG_ROWS,
  ...PRIMARY_ROWS,
  ...STOP_ROWS,
  ...STOPPED_ROWS,
  ...RELOAD_ROWS,
  ...SUPERVISOR_ROWS,
  ...PAUSE_ROWS,
  ...REDIS_ROWS,
  ...REFUSING_REDIS_ROWS,
  ...ODD_REDIS_ROWS,
  ...REDIS_ELSEWHERE_ROWS,
  ...KEY_ROWS,
  ...LIMITED_REDIS_ROWS,
  ...SLOW_LINE_ROWS,
  ...OUTAGE_ROWS,
  ...FLOW_ROWS,
  ...BAD_ANSWER_ROWS,
  ...ANSWER_ROWS,
  ...LAST_WORD_ROWS,
  ...MOVED_ROWS,
  ...TOLD_MEANWHILE_ROWS,
  ...BULK_ACTION_ROWS,
  ...CERTIFICATE_ROWS,
  ...SEVERAL_ROWS,
  ...HOSTILE_ROWS,
  ...ENVIRONMENT_ROWS,
  ...FLOOD_ROWS,
  ...FILE_ROWS,
].sort(byNumber);

function byNumber(one: Row, other: Row): number {
  return Number.parseInt(one.id, 10) - Number.parseInt(other.id, 10) || one.id.localeCompare(other.id);
}
