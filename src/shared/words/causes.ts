/**
 * The words for what most often keeps messages from being delivered.
 *
 * The log, /ready, /health, `status`, `check`, the dashboard and the alerts (config/monitoring/alerts.yml, held to it by a
 * test) all use them: who has read one of them finds the others.
 */
export const CAUSE = {
  redis: 'Redis cannot be reached',
  mainServer: 'main server cannot be reached',
  certificate: 'certificate has expired',
  hang: 'sent no heartbeat',
  backlog: 'queue backlog',
} as const;

/** Waiting messages above this are a backlog; the threshold of the Python worker's alert. */
export const BACKLOG_MESSAGES = 10_000;

export function certificateExpired(which: `${string} certificate`, file: string, notAfterMs: number): string {
  return `${which} has expired: ${file} ended on ${new Date(notAfterMs).toISOString().slice(0, 10)}`;
}

export function backlogOf(waiting: number): string {
  return `${CAUSE.backlog}: ${waiting} messages wait, more than ${BACKLOG_MESSAGES}`;
}

/** @param endpoint MAIN_SERVER_DELIVER_ENDPOINT. */
export function noRoute(url: string, endpoint: string): string {
  return `the main server has no route ${endpoint} at ${url}: MAIN_SERVER_URL or MAIN_SERVER_DELIVER_ENDPOINT is wrong`;
}

/**
 * Why nothing is claimed for the main server's sake. One that answers is not out of reach.
 *
 * @param reason the label of worker_messages_failed_total; undefined = not known.
 */
export function mainServerProblem(reason: string | undefined): string {
  const status = /^http_(\d{3})$/.exec(reason ?? '')?.[1];
  if (status !== undefined) return `main server answers ${status} and is given a rest`;
  return `${CAUSE.mainServer} (${reason ?? 'no answer'})`;
}

/** With a capital letter, for a log line. */
export function asSentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
