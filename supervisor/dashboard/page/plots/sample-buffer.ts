import type { Sample, SampleColumns, SampleField } from '../../../status/status-events.js';

/** As many as the supervisor keeps: half an hour. */
const MOST = 900;

type Column = (number | null)[];

/** The samples on this side, never more than MOST of them. */
export class SampleBuffer {
  readonly #columns = new Map<SampleField, Column>();

  get length(): number {
    return this.column('at').length;
  }

  replace(columns: SampleColumns): void {
    this.#columns.clear();
    this.add(columns);
  }

  add(columns: SampleColumns): void {
    for (const [field, values] of Object.entries(columns) as [SampleField, readonly Sample[SampleField][]][]) {
      const column = this.column(field);
      column.push(...values);
      if (column.length > MOST) column.splice(0, column.length - MOST);
    }
  }

  column(field: SampleField): Column {
    const known = this.#columns.get(field);
    if (known) return known;
    const column: Column = [];
    this.#columns.set(field, column);
    return column;
  }
}
