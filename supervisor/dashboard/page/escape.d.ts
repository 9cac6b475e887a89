/** Served from src/domain/escape.ts: text of messages is escaped here as in the log. */
export { printable } from '../../../src/domain/escape.js';
