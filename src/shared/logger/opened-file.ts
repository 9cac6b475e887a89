import fs from 'node:fs';

/** `gone`: the name leads to another file, or to none; `unknown` = it cannot be looked at just now. */
type Look = { readonly state: 'ours'; readonly bytes: number } | { readonly state: 'gone' | 'unknown' };

type OpenCallback = (error: NodeJS.ErrnoException | null, fd: number) => void;

/** The file on the disk that lines go to. Its name may come to lead elsewhere while it is open. */
export class OpenedFile {
  #identity: Identity | undefined;

  /** As fs.open, remembering what was opened. */
  readonly open = (path: string, flags: string, mode: number, callback: OpenCallback): void => {
    fs.open(path, flags, mode, (error, fd) => {
      if (error) return callback(error, fd);
      fs.fstat(fd, { bigint: true }, (_, stats) => {
        this.#identity = stats;
        callback(null, fd);
      });
    });
  };

  async look(path: string): Promise<Look> {
    if (this.#identity === undefined) return { state: 'unknown' };
    try {
      const found = await fs.promises.stat(path, { bigint: true });
      return isSame(found, this.#identity) ? { state: 'ours', bytes: Number(found.size) } : { state: 'gone' };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { state: code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'unknown' };
    }
  }
}

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

function isSame(one: Identity, other: Identity): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}
