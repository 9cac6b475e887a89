/**
 * What needs SUPERVISOR_ADMIN_TOKEN is shut, and said to be, as long as there is none: nobody is asked for a token that does
 * not exist. Whoever has not got the token is asked for it when he acts.
 */
import { byId } from './elements.js';

type Gated = HTMLButtonElement | HTMLInputElement | HTMLSelectElement;

let hasToken = true;
/** Whether it could be used if there were a token. */
const usable = new WeakMap<Element, boolean>();

/** Of an element that needs the token: whether it can be used otherwise. Call it again when that changes. */
export function gate<Element extends Gated>(element: Element, isUsable = true): Element {
  usable.set(element, isUsable);
  element.setAttribute('data-gated', '');
  shut(element);
  return element;
}

export function tokenExists(now: boolean): void {
  byId('read-only').hidden = now;
  if (now === hasToken) return;
  hasToken = now;
  for (const element of document.querySelectorAll<Gated>('[data-gated]')) shut(element);
}

function shut(element: Gated): void {
  element.disabled = !hasToken || usable.get(element) === false;
  if (hasToken) element.removeAttribute('aria-describedby');
  else element.setAttribute('aria-describedby', 'read-only');
}
