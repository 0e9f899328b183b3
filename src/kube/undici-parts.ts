import { createRequire } from 'node:module';
import type { buildConnector, Pool } from 'undici';

/**
 * The two parts of undici in use, loaded without the rest of it (fetch, WebSocket, caches, mocks): 17 MB less resident memory in
 * every process, which the proxier's budget on each node needs. The paths are undici's own layout, held still by the lock file.
 */
const require = createRequire(import.meta.url);

export const UndiciPool: typeof Pool = require('undici/lib/dispatcher/pool.js');
export const connector: typeof buildConnector = require('undici/lib/core/connect.js');
