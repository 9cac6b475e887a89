/**
 * Each section of the page is drawn apart: what one of them cannot show keeps no other from showing the rest, and the section
 * says in its place that it is not up to date, until it is drawn again.
 */
import { byId, make, setText } from './elements.js';
import { printable } from '../../../src/shared/words/escape.js';

const MESSAGE_LENGTH = 200;

/** @param id of an element of the section. */
export function apart(id: string, draw: () => void): void {
  const section = byId(id).closest('section') ?? document.body;
  const told = section.querySelector(`:scope > [data-broken="${id}"]`);
  try {
    draw();
    told?.remove();
  } catch (error) {
    // for whoever debugs it, once: it would come again with each event
    if (!told) reportError(error);
    const note = told ?? make('p', { class: 'broken', role: 'alert', 'data-broken': id });
    const why = printable(String(error), MESSAGE_LENGTH);
    setText(note, `This part of the page cannot be shown and may be old: ${why}. The other parts are up to date.`);
    if (!told) section.prepend(note);
  }
}
