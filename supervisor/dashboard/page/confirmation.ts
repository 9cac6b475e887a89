/** The question before something is done to many, or for good. */
import { byId, setText } from './elements.js';

/** Closed without an answer = no. `yes`: what the button says that does it. */
export function confirmed(question: string, yes: string): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('confirm');
  const button = byId<HTMLButtonElement>('confirm-yes');
  setText(byId('confirm-text'), question);
  setText(button, yes);
  let isWanted = false;
  button.onclick = () => {
    isWanted = true;
    dialog.close();
  };
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(isWanted)));
}
