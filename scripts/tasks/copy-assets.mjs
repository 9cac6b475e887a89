// What tsc does not copy: the Lua scripts go beside the compiled queue, the page's files beside its compiled modules.
import { cpSync } from 'node:fs';

for (const folder of ['src/queue/lua', 'supervisor/dashboard/page']) {
  cpSync(new URL(`../../${folder}`, import.meta.url), new URL(`../../dist/${folder}`, import.meta.url), {
    recursive: true,
    filter: (path) => !/(\.ts|tsconfig\.json)$/.test(path),
  });
}
