/** A table that is never wider than it may be: columns that matter less are left out, and named. Pure. */
import { cutText, line, widthOf, type Line, type Piece } from './line.js';

export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => Piece;
  /** The lower, the longer it stays. */
  readonly rank: number;
  readonly left?: true;
  /** So wide at least, or what is beside it moves with each frame. */
  readonly least?: number;
  /** Is cut rather than left out, down to `least`. */
  readonly elastic?: true;
}

interface Fitted {
  /** The headings first. */
  readonly lines: readonly Line[];
  /** Headings of the columns that found no room. */
  readonly leftOut: readonly string[];
}

const GAP = 2;

export function fitted<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): Fitted {
  const widths = new Map<Column<Row>, number>();
  let left = width + GAP;
  for (const column of [...columns].sort((a, b) => a.rank - b.rank)) {
    const natural = naturalWidth(column, rows);
    const wide = column.elastic ? Math.max(column.least ?? 0, Math.min(natural, left - GAP)) : natural;
    if (widths.size > 0 && wide + GAP > left) continue;
    widths.set(column, wide);
    left -= wide + GAP;
  }
  const shown = columns.filter((column) => widths.has(column));
  const lineOf = (cellOf: (column: Column<Row>) => Piece): Line =>
    shown.flatMap((column, at) => [
      ...(at === 0 ? [] : line(' '.repeat(GAP))),
      padded(cellOf(column), widths.get(column) ?? 0, column.left ?? false, at === shown.length - 1),
    ]);
  return {
    lines: [
      lineOf(({ heading }) => ({ text: heading, tone: 'faint' })),
      ...rows.map((row) => lineOf((c) => c.cell(row))),
    ],
    leftOut: columns.filter((column) => !widths.has(column)).map(({ heading }) => heading),
  };
}

function naturalWidth<Row>({ heading, cell, least = 0 }: Column<Row>, rows: readonly Row[]): number {
  return rows.reduce((most, row) => Math.max(most, widthOf(cell(row).text)), Math.max(least, heading.length));
}

function padded(piece: Piece, width: number, left: boolean, isLast: boolean): Piece {
  const text = cutText(piece.text, width);
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)));
  return { ...piece, text: left ? `${text}${isLast ? '' : blanks}` : `${blanks}${text}` };
}
