/** A time as it is said in a sentence: `45 s`, `12 min 30 s`, `5 h 12 min`, `3 d 4 h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const [d, h, min] = [Math.floor(whole / 86_400), Math.floor(whole / 3_600) % 24, Math.floor(whole / 60) % 60];
  if (d > 0) return h > 0 ? `${d} d ${h} h` : `${d} d`;
  if (h > 0) return min > 0 ? `${h} h ${min} min` : `${h} h`;
  return whole % 60 > 0 ? `${min} min ${whole % 60} s` : `${min} min`;
}
