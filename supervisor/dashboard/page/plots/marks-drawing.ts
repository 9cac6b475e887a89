/** Draws marks into a plot: shades behind its lines, strokes before them. */
import uPlot from 'uplot';
import type { Marks } from './marks.js';

/** Letters closer than this would run into each other. */
const LETTER_PX = 12;
const HATCH_PX = 7;

/** @param ink a colour of the style sheet. */
export function drawBands(plot: uPlot, { bands }: Marks, ink: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  clip(plot);
  for (const { kind, from, until } of bands) {
    const [left, right] = [plot.valToPos(from / 1_000, 'x', true), plot.valToPos(until / 1_000, 'x', true)];
    const width = Math.max(right - left, 2 * uPlot.pxRatio);
    if (kind === 'unknown') {
      hatch(plot, left, left + width, ink('quiet'));
      continue;
    }
    const color = ink(kind === 'outage' ? 'bad' : 'warn');
    ctx.fillStyle = color;
    ctx.globalAlpha = 0.14;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.globalAlpha = 1;
    // an outage has a bar at its top, a pause one at its foot
    const bar = 3 * uPlot.pxRatio;
    ctx.fillRect(left, kind === 'outage' ? bbox.top : bbox.top + bbox.height - bar, width, bar);
  }
  ctx.restore();
}

export function drawStrokes(plot: uPlot, { strokes }: Marks, ink: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  clip(plot);
  ctx.strokeStyle = ctx.fillStyle = ink('muted');
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.font = `600 ${10 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  let last = -Infinity;
  for (const { at, letter } of strokes) {
    const x = Math.round(plot.valToPos(at / 1_000, 'x', true));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (x - last < LETTER_PX * ratio) continue;
    last = x;
    // where there is no room to its right
    const isLast = x > bbox.left + bbox.width - LETTER_PX * ratio;
    ctx.textAlign = isLast ? 'right' : 'left';
    ctx.fillText(letter, x + (isLast ? -2 : 2) * ratio, bbox.top + 4 * ratio);
  }
  ctx.restore();
}

function clip({ ctx, bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

function hatch({ ctx, bbox }: uPlot, left: number, right: number, color: string): void {
  const [step, end] = [HATCH_PX * uPlot.pxRatio, Math.min(right, bbox.left + bbox.width)];
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = uPlot.pxRatio;
  ctx.beginPath();
  for (let x = Math.max(left, bbox.left) - bbox.height; x < end; x += step) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}
