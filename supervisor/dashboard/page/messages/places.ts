/** Where a message can be, and what can be done to it there. */
import { DEAD_LETTER_REASONS } from '../../../../src/domain/dead-letters/reasons.js';
import { FAILURE_REASONS } from '../../../../src/domain/delivery-outcome.js';
import type { MessageSummary } from '../../../admin/protocol.js';
import type { Action } from './actions.js';

/** Held ones are listed with those in flight. */
export type Place = Exclude<MessageSummary['place'], 'held'>;

interface PlacePlan {
  readonly name: string;
  /** By what the reason of the filter is chosen: that of its death, or of its last failed attempt. */
  readonly reasons: readonly string[];
  readonly actions: readonly Action[];
  /** In which order. */
  readonly order: string;
  readonly empty: string;
}

export const PLACES: Readonly<Record<Place, PlacePlan>> = {
  waiting: {
    name: 'Waiting',
    reasons: FAILURE_REASONS,
    actions: ['cancel'],
    order: 'the newest first',
    empty: 'No message waits.',
  },
  in_flight: {
    name: 'In flight',
    reasons: FAILURE_REASONS,
    actions: [],
    order: 'by worker',
    empty: 'No message is in flight.',
  },
  retry: {
    name: 'Retry',
    reasons: FAILURE_REASONS,
    actions: ['retry', 'cancel'],
    order: 'the one due next first',
    empty: 'No message waits for its retry.',
  },
  dead: {
    name: 'Dead',
    reasons: [...DEAD_LETTER_REASONS, 'unreadable', ...FAILURE_REASONS],
    actions: ['replay', 'purge'],
    order: 'the newest first',
    empty: 'There are no dead letters.',
  },
};

export function planOf({ place }: Pick<MessageSummary, 'place'>): PlacePlan {
  return PLACES[place === 'held' ? 'in_flight' : place];
}

/** What an action names it by; undefined = it has no name, and no other place. */
export function nameFor(message: MessageSummary): string | undefined {
  return message.place === 'dead' ? message.key : (message.message_id ?? undefined);
}
