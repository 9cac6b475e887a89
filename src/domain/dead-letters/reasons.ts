/** Why a message lies in the list of the dead. No imports: the dashboard's page reads it, too. */
export const DEAD_LETTER_REASONS = ['malformed', 'max_attempts_exceeded', 'poison'] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];
