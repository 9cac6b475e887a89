interface QuestionOptions {
  /** False = it is gone or silent. */
  readonly mayAsk: () => boolean;
  readonly send: (request: number) => void;
  /** Resolves to true as soon as the condition holds, to false when the time is over or the child gone. */
  readonly until: (condition: () => boolean, timeoutMs: number) => Promise<boolean>;
}

/** What a child is asked for, once at a time: whoever asks meanwhile waits for the same answer. */
export class Question<Answer> {
  readonly #options: QuestionOptions;
  #asked = 0;
  #answered = 0;
  #asking: Promise<Answer | undefined> | undefined;
  #last: Answer | undefined;

  constructor(options: QuestionOptions) {
    this.#options = options;
  }

  /** The last answer, to whichever asking. */
  get last(): Answer | undefined {
    return this.#last;
  }

  /** Undefined when it cannot be asked, and when there is no answer in time; one to an earlier asking is none. */
  ask(timeoutMs: number): Promise<Answer | undefined> {
    if (!this.#options.mayAsk()) return Promise.resolve(undefined);
    this.#asking ??= this.#ask(timeoutMs).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  answer(request: number, answer: Answer): void {
    this.#answered = Math.max(this.#answered, request);
    this.#last = answer;
  }

  async #ask(timeoutMs: number): Promise<Answer | undefined> {
    const { send, until } = this.#options;
    const asked = ++this.#asked;
    send(asked);
    return (await until(() => this.#answered >= asked, timeoutMs)) ? this.#last : undefined;
  }
}
