/** The few things this page does with the DOM. Text is only ever set as text: nothing here can become markup. */

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element #${id}`);
  return element as T;
}

/** Leaves an element alone that says it already: screen readers announce changes, and selections survive. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** As many children as items; those that are there are used again. */
export function fillList<Item>(
  list: Element,
  items: readonly Item[],
  create: () => Element,
  fill: (element: Element, item: Item) => void,
): void {
  while (list.children.length > items.length) list.lastElementChild?.remove();
  for (const [at, item] of items.entries()) {
    const element = list.children[at] ?? list.appendChild(create());
    fill(element, item);
  }
}
