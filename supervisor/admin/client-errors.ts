import { BrokerError } from '../../src/shared/errors.js';

/** Nobody answers where the supervisor should be. */
export class NoSupervisorError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('E_NO_SUPERVISOR', message, options);
  }
}

/** The supervisor answered that it cannot or may not. */
export class ControlError extends BrokerError {
  constructor(
    readonly status: number,
    message: string,
    /** As it was sent, parsed where it is JSON. */
    readonly body: unknown,
  ) {
    super('E_CONTROL', message);
  }
}
