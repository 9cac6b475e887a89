/** Asks before something is done: who closes the dialog has said no. One dialog for the whole page. */
import { byId, setText } from './elements.js';

export interface Question {
  readonly title: string;
  /** What it does, and to whom. */
  readonly text: string;
  /** On the button. */
  readonly yes: string;
  /** Shows the fields of a pause. */
  readonly isPause?: boolean;
}

export function confirmed({ title, text, yes, isPause = false }: Question): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('confirm');
  const form = byId<HTMLFormElement>('confirm-form');
  setText(byId('confirm-title'), title);
  setText(byId('confirm-text'), text);
  setText(byId('confirm-yes'), yes);
  byId('confirm-pause').hidden = !isPause;
  form.reset();
  let isYes = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    isYes = true;
    dialog.close();
  };
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(isYes)));
}

/** As filled in when it was confirmed. */
export function pauseFields(): { readonly for_seconds?: number; readonly reason?: string } {
  const seconds = Number(byId<HTMLSelectElement>('confirm-pause-for').value);
  const reason = byId<HTMLInputElement>('confirm-pause-reason').value.trim();
  return { ...(seconds > 0 ? { for_seconds: seconds } : {}), ...(reason === '' ? {} : { reason }) };
}
