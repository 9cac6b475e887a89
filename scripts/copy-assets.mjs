// What tsc does not copy: the Lua scripts go beside the compiled queue.
import { cpSync } from 'node:fs';

cpSync(new URL('../src/queue/lua', import.meta.url), new URL('../dist/src/queue/lua', import.meta.url), {
  recursive: true,
});
