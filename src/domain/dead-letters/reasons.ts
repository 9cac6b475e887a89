/** Why a message lies in the list of the dead. No imports: the dashboard's page reads it, too. */
export const BURIAL_REASONS = ['malformed', 'max_attempts_exceeded', 'poison'] as const;
/** What workers and supervisors bury for. */
export type BurialReason = (typeof BURIAL_REASONS)[number];
/** And what operators do. */
export const DEAD_LETTER_REASONS = [...BURIAL_REASONS, 'cancelled'] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];
