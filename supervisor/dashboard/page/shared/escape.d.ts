/** Served from src/shared/words/escape.ts: text of messages is escaped here as in the log. */
export { printable } from '../../../../src/shared/words/escape.js';
