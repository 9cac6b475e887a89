/**
 * A table whose rows are kept: a cell is written only when its text changes. On a narrow screen the style sheet makes a
 * card of each row, and a table that is no table to CSS is none to a screen reader: hence the roles in writing.
 */
import { make, setText } from '../elements.js';

interface TableColumn {
  readonly title: string;
  /** Numbers stand to the right; texts may be long, wrap, and have a line of their own on a phone. */
  readonly kind?: 'number' | 'text';
}

export interface TableRow {
  readonly key: string;
  /** For tests and style. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly cells: readonly (string | ((cell: HTMLTableCellElement) => void))[];
}

interface Table {
  show(rows: readonly TableRow[]): void;
}

interface TablePlan {
  /** Read out, not seen. */
  readonly caption: string;
  readonly columns: readonly TableColumn[];
  readonly empty: string;
  readonly testid: string;
}

export function createTable(place: HTMLElement, { caption, columns, empty, testid }: TablePlan): Table {
  const head = make('tr', { role: 'row' });
  for (const { title, kind = '' } of columns) {
    head.append(make('th', { scope: 'col', role: 'columnheader', class: kind }, title));
  }
  const body = make('tbody', { role: 'rowgroup' });
  const table = make(
    'table',
    { role: 'table', 'data-testid': testid },
    make('caption', { class: 'unseen' }, caption),
    make('thead', { role: 'rowgroup' }, head),
    body,
  );
  const nothing = make('p', { class: 'nothing', 'data-testid': `${testid}-empty` }, empty);
  place.append(table, nothing);
  const known = new Map<string, HTMLTableRowElement>();

  function rowOf(key: string): HTMLTableRowElement {
    const row = known.get(key) ?? blankRow(columns);
    known.set(key, row);
    return row;
  }

  return {
    show(rows) {
      table.hidden = rows.length === 0;
      nothing.hidden = rows.length > 0;
      const wanted = new Set(rows.map(({ key }) => key));
      for (const [key, row] of known) {
        if (wanted.has(key)) continue;
        row.remove();
        known.delete(key);
      }
      for (const [at, { key, attributes = {}, cells }] of rows.entries()) {
        const row = rowOf(key);
        for (const [name, value] of Object.entries(attributes)) row.setAttribute(name, value);
        for (const [column, cell] of cells.entries()) fillCell(row.cells[column], cell);
        if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
      }
    },
  };
}

function blankRow(columns: readonly TableColumn[]): HTMLTableRowElement {
  const cells = columns.map(({ title, kind = '' }, at) => {
    const attributes = { 'data-label': title, class: kind };
    return at === 0
      ? make('th', { ...attributes, scope: 'row', role: 'rowheader' })
      : make('td', { ...attributes, role: 'cell' });
  });
  return make('tr', { role: 'row' }, ...cells);
}

function fillCell(element: HTMLTableCellElement | undefined, content: TableRow['cells'][number]): void {
  if (!element) return;
  if (typeof content === 'string') setText(element, content);
  else content(element);
}
