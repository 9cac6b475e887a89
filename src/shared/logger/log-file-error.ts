import { BrokerError } from '../errors.js';

/** The log file or its folder cannot be used, or not fast enough. */
export class LogFileError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_LOG_FILE', message, options);
  }
}
