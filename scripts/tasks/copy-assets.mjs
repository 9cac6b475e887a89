// What tsc does not copy: the Lua scripts go beside the compiled queue.
import { cpSync } from 'node:fs';

const [from, to] = ['../../src/queue/lua', '../../dist/src/queue/lua'].map((path) => new URL(path, import.meta.url));
cpSync(from, to, { recursive: true });
