/** `2026-01-15 10:30:45 UTC`. */
export function timeText(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
