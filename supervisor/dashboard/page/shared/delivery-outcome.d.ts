/** Served from src/domain/delivery-outcome.ts. */
export { FAILURE_REASONS } from '../../../../src/domain/delivery-outcome.js';
