import { createAdapter, type DatabaseOptions } from './database-pool.js';
import { PrismaClient } from './generated/tenant/client.js';

export * from './generated/tenant/client.js';
export type { DatabaseOptions } from './database-pool.js';

/** A client of one tenant's database; it connects at its first query, and `$disconnect` closes its connections. */
export function createTenantClient(options: DatabaseOptions): PrismaClient {
  return new PrismaClient({ adapter: createAdapter(options), errorFormat: 'minimal' });
}
