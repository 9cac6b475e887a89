/**
 * What the keys of `status --watch` do. Pure.
 *
 * Three views: the status, the dead letters, the help; `d` and `?` open theirs, and the same key, Escape or any other closes it.
 * What changes something is asked first, and only a `y` that came alone is a yes: a text that was pasted answers no question.
 * One deed at a time; the watch goes on while it is done, and may be left.
 */
export type Deed = 'pause' | 'resume' | 'reload';

type Key = 'p' | 'r' | 'd' | 'q' | '?' | 'y' | 'next' | 'interrupt' | 'suspend' | 'other';

export interface Said {
  readonly text: string;
  readonly isBad: boolean;
}

export interface Controls {
  readonly view: 'status' | 'dead' | 'help';
  readonly asking?: Deed;
  readonly doing?: Deed;
  /** How a deed went; until the next key. */
  readonly said?: Said;
}

export type Effect = Deed | 'quit' | 'suspend' | 'dead-letters' | 'next-letters';

export const START: Controls = { view: 'status' };

const KEYS: Readonly<Record<string, Key>> = {
  p: 'p',
  r: 'r',
  d: 'd',
  q: 'q',
  '?': '?',
  h: '?',
  y: 'y',
  n: 'next',
  ' ': 'next',
  '\x1b[6~': 'next',
  '\x1b[B': 'next',
  '\x03': 'interrupt',
  '\x1a': 'suspend',
};

/** Of several at once only Ctrl-C counts. */
export function keyOf(typed: string): Key {
  if (typed.includes('\x03')) return 'interrupt';
  return KEYS[typed.toLowerCase()] ?? 'other';
}

export function pressed(
  controls: Controls,
  key: Key,
  { isPaused }: { readonly isPaused: boolean },
): { readonly controls: Controls; readonly effect?: Effect } {
  const { view, asking, doing } = controls;
  const kept: Controls = { view, ...(doing === undefined ? {} : { doing }) };
  if (key === 'interrupt') return { controls: kept, effect: 'quit' };
  if (asking !== undefined) {
    if (key === 'y') return { controls: { ...kept, doing: asking }, effect: asking };
    return { controls: { ...kept, said: { text: 'Nothing is changed.', isBad: false } } };
  }
  if (key === 'suspend') return { controls: kept, effect: 'suspend' };
  if (key === 'q') return { controls: kept, effect: 'quit' };
  if (doing === undefined && (key === 'p' || key === 'r')) {
    return { controls: { ...kept, asking: key === 'r' ? 'reload' : isPaused ? 'resume' : 'pause' } };
  }
  if (key === 'p' || key === 'r') return { controls };
  return viewed(kept, key);
}

function viewed(controls: Controls, key: Key): { readonly controls: Controls; readonly effect?: Effect } {
  const { view } = controls;
  if (view === 'dead' && key === 'next') return { controls, effect: 'next-letters' };
  if (key === 'd' && view !== 'dead') return { controls: { ...controls, view: 'dead' }, effect: 'dead-letters' };
  if (key === '?' && view !== 'help') return { controls: { ...controls, view: 'help' } };
  return { controls: { ...controls, view: 'status' } };
}
