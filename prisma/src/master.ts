import { createAdapter, type DatabaseOptions } from './database-pool.js';
import { PrismaClient } from './generated/master/client.js';

export * from './generated/master/client.js';
export type { DatabaseOptions } from './database-pool.js';

/** A client of the master database; it connects at its first query, and `$disconnect` closes its connections. */
export function createMasterClient(options: DatabaseOptions): PrismaClient {
  return new PrismaClient({ adapter: createAdapter(options), errorFormat: 'minimal' });
}
