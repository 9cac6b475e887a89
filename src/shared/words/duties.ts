/** What runs beside the work loop, as the log, /status and the label of `supervisor_duty_failing` name it. */
export const DUTIES = [
  'retry scheduler',
  'lease renewal',
  'observation of leases',
  'counting of messages',
  'telling of burials',
  'sharing of MAIN_SERVER_MAX_IN_FLIGHT',
  'certificate watch',
  'eviction watch',
  'search for messages whose worker nobody knows',
  'sweep of the failed attempts that nobody needs any more',
  'history',
  'word to the fleet',
] as const;

export type DutyName = (typeof DUTIES)[number];

export function isDuty(value: unknown): value is DutyName {
  return DUTIES.some((duty) => duty === value);
}
