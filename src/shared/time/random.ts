/** From [0, 1). Whoever needs chance takes it as an argument; composition roots hand in the system's. */
export type Random = () => number;

export const systemRandom: Random = Math.random;
