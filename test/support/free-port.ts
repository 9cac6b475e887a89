export { freePort, freePorts } from '../../scripts/local/free-port.js';
