/** Messages that this supervisor buried itself, as what killed its workers: no worker counts them. */
export class Burials {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(count: number): void {
    this.#count += count;
  }
}
