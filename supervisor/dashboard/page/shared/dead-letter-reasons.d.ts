/** Served from src/domain/dead-letters/reasons.ts. */
export { DEAD_LETTER_REASONS } from '../../../../src/domain/dead-letters/reasons.js';
