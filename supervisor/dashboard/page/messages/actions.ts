/**
 * What can be done to messages, asked as the command line asks: what a filter means is counted and confirmed first; what is
 * named is done at once where that can be undone. Of all actions only a cancel can be taken back.
 */
import { ask } from '../admin-requests.js';
import * as format from '../format.js';
import { confirmed } from '../question.js';
import type { DeadLetterFields, DeadLetterRunAnswer, MessageRunAnswer } from '../../../admin/protocol.js';

export type Action = 'retry' | 'cancel' | 'replay' | 'purge';

/** By name, or by what restricts them; `words` is the filter as it is read. */
export type Meant =
  { readonly names: readonly string[] } | { readonly filter: DeadLetterFields; readonly words: string };

interface Done {
  readonly text: string;
  /** Missing where it cannot be undone. Resolves to what came of it. */
  readonly undo?: () => Promise<string>;
}

interface ActionPlan {
  readonly button: string;
  /** Completes "12 messages would be ...". */
  readonly would: string;
  /** Completes "12 messages ...". */
  readonly done: string;
  /** It is asked for even where messages are named. */
  readonly alwaysAsks: boolean;
}

export const ACTIONS: Readonly<Record<Action, ActionPlan>> = {
  retry: {
    button: 'Retry now',
    would: 'be tried again as soon as flow control lets them, in place of when their retry is due',
    done: 'made due',
    alwaysAsks: false,
  },
  cancel: {
    button: 'Cancel',
    would: 'go to the dead letters undelivered, wherever they wait, and the main server is told that they failed',
    done: 'cancelled',
    alwaysAsks: true,
  },
  replay: {
    button: 'Replay',
    would: 'go back to the queue, the oldest first, with their attempts at 0',
    done: 'back in the queue',
    alwaysAsks: false,
  },
  purge: {
    button: 'Delete',
    would: 'be deleted for good',
    done: 'deleted',
    alwaysAsks: true,
  },
};

/** Undefined = it was not wanted. Rejects with RefusedError and CancelledError. */
export async function act(action: Action, meant: Meant): Promise<Done | undefined> {
  const { button, would, alwaysAsks } = ACTIONS[action];
  const isNamed = 'names' in meant;
  if (!isNamed || alwaysAsks) {
    const number = isNamed ? meant.names.length : await countOf(action, meant.filter);
    if (number === 0) return { text: 'None matches; nothing is changed.' };
    const of = isNamed || meant.words === '' ? '' : ` of ${meant.words}`;
    const question = {
      title: `${button}: ${nouns(action, number)}`,
      text: `${nouns(action, number)}${of} would ${would}.`,
      yes: button,
    };
    if (!(await confirmed(question))) return undefined;
  }
  return isNamed ? doneNamed(action, meant.names) : { text: await run(action, { ...meant.filter, all: true }) };
}

async function doneNamed(action: Action, names: readonly string[]): Promise<Done> {
  const begunAt = performance.now();
  const text = await run(action, { ids: names });
  if (action !== 'cancel') return { text };
  // an id may have been cancelled before, too
  const ageOfThese = (): number => Math.ceil((performance.now() - begunAt) / 1_000) + 1;
  const undo = (): Promise<string> =>
    run('replay', { ids: names, reason: 'cancelled', newer_than_seconds: ageOfThese() });
  return { text, undo };
}

/** How many it would be done to. */
async function countOf(action: Action, filter: DeadLetterFields): Promise<number> {
  const fields = { ...filter, all: true, dry_run: true };
  if (action === 'replay' || action === 'purge') return (await ask(action, fields)).matched;
  const answer = await ask(`${action}Messages`, fields);
  return answer.matched - answer.already_due;
}

type RunFields = DeadLetterFields & { readonly ids?: readonly string[]; readonly all?: boolean };

async function run(action: Action, fields: RunFields): Promise<string> {
  const what =
    action === 'replay' || action === 'purge'
      ? lettersText(await ask(action, fields))
      : messagesText(await ask(`${action}Messages`, fields));
  return [`${what.done} ${ACTIONS[action].done}.`, ...what.remarks].join(' ');
}

interface Told {
  readonly done: string;
  /** Sentences. */
  readonly remarks: readonly string[];
}

function messagesText(answer: MessageRunAnswer): Told {
  const { done, due_later: later, due_later_seconds: seconds, already_due: already } = answer;
  const { of_earlier_version: earlier, interrupted, matched } = answer;
  return {
    done: nouns('retry', done),
    remarks: sentences([
      [matched === 0, 'None of them is there any more: claimed, delivered or removed.'],
      [later > 0, `${later} of them within ${seconds} s: a status of their last attempt may be on its way until then.`],
      [already > 0, `${already} are due as soon as they may be already.`],
      [earlier > 0, `${earlier} stay as they are: an earlier version scheduled them.`],
      [interrupted, 'It ended before it was through.'],
    ]),
  };
}

function lettersText({ done, matched, unreadable, being_told: told = 0, ...answer }: DeadLetterRunAnswer): Told {
  return {
    done: format.count(done),
    remarks: sentences([
      [matched === 0, 'None of them is there any more.'],
      [told > 0, `${told} stay: the main server is being told of them, again in ${answer.again_in_seconds ?? 0} s.`],
      [unreadable > 0, `${unreadable} stay: they are no envelopes of ours, what to deliver cannot be told.`],
    ]),
  };
}

function sentences(all: readonly (readonly [isTrue: boolean, sentence: string])[]): readonly string[] {
  return all.filter(([isTrue]) => isTrue).map(([, sentence]) => sentence);
}

function nouns(action: Action, number: number): string {
  const isLetter = action === 'replay' || action === 'purge';
  const noun = isLetter ? 'dead letter' : 'message';
  return `${format.count(number)} ${noun}${number === 1 ? '' : 's'}`;
}
