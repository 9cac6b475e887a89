/** A forked child starts here (supervisor/workers/forked-child.ts). */
import { Child } from './worker/child.js';

new Child().start();
