import type { Config } from '../../src/shared/config/config.js';
import { MOST_WORKERS } from '../../src/shared/config/settings/process-settings.js';
import { slotIdentity } from './worker-slot.js';

const HIGHEST_PORT = 65_535;

/** Why there cannot be as many; undefined = there can. */
export function whyNotAsMany(config: Config, workers: number): string | undefined {
  const { metrics, supervisor } = config;
  if (workers < 1) return 'There is only one worker left; it stays.';
  if (workers > MOST_WORKERS) return `No more workers: ${MOST_WORKERS} are the most.`;
  if (!metrics.enabled || metrics.port === 0) return undefined;
  const { metricsPort: last } = slotIdentity(config, workers);
  if (last > HIGHEST_PORT) return `No more workers: ${last} is not a port for metrics.`;
  if (supervisor.port < metrics.port || supervisor.port > last) return undefined;
  const { workerId } = slotIdentity(config, supervisor.port - metrics.port + 1);
  return `No more workers: the metrics port of ${workerId} would be ${supervisor.port}, which is SUPERVISOR_PORT.`;
}
