/** Served from src/domain/dead-letter-reasons.ts. */
export { DEAD_LETTER_REASONS } from '../../../../src/domain/dead-letter-reasons.js';
