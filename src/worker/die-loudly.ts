import { EXIT_FAILURE } from '../shared/errors.js';
import type { Logger } from '../shared/logger/logger.js';

/** A bug: say it, and let those who watch us recover what we held. */
export function dieLoudly(log: Logger): void {
  const die = (error: unknown) => {
    log.crash(
      `Unexpected failure, exiting: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    process.exit(EXIT_FAILURE);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}
