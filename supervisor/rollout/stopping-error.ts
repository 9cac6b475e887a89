import { BrokerError } from '../../src/shared/errors.js';

/** Nothing is begun or gone on with any more. */
export class StoppingError extends BrokerError {
  constructor() {
    super('E_STOPPING', 'The supervisor is stopping.');
  }
}
