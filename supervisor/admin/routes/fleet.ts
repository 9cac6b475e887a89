import type { FleetSight } from '../../../src/domain/fleet/fleet-watch.js';
import type { Config } from '../../../src/shared/config/config.js';
import { RedisUnavailableError } from '../../../src/shared/errors.js';
import { fleetDocument } from '../documents/fleet.js';
import { RequestError, route, type Route } from '../route.js';

/** @param look rejects with RedisUnavailableError. It tells of hosts, and nothing of what is in messages. */
export function fleetRoute(look: () => Promise<FleetSight>, config: () => Config): Route {
  return route('fleet', async () => {
    try {
      return { status: 200, body: fleetDocument(await look(), config().queue.name) };
    } catch (error) {
      if (error instanceof RedisUnavailableError) throw new RequestError(503, error.message);
      throw error;
    }
  });
}
