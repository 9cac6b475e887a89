import { RedisProcess } from '../../../scripts/local/redis-process.js';
import { conformsToLife } from '../../support/life.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';

expectNoLeftovers();

conformsToLife({
  name: 'a private Redis',
  make: () => new RedisProcess({}),
  makeFailing: () => new RedisProcess({ args: ['--no-such-setting', 'yes'] }),
});
