import { Secret } from '../config/secret.js';
import { createMasterDatabase, migrateMaster, type MasterDatabase } from '../db/master-client.js';
import { createTenantClients } from '../db/tenant-clients.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../db/tenant-database-url.js';
import { migrateTenants } from '../db/tenant-migrator.js';
import { createAesGcmSealer } from '../integrations/aes-gcm-sealer.js';
import { ensureSigningKey } from '../integrations/signing-keys.js';
import { provisionTenant } from '../modules/tenants/provision-tenant.js';
import { systemClock } from '../ports/clock.js';
import type { Sealer } from '../ports/sealer.js';
import type { DevCredentials } from './dev-credentials.js';
import { mcpUrlOf, type DevUrls } from './dev-file.js';
import { demoTenants, systemTenant } from './seed-data.js';
import { seedIdentityProviders } from './seed-identity-providers.js';
import { seedTenant } from './seed-tenant.js';

export interface SeedDatabasesOptions {
  /** The master database, made where it is missing. */
  readonly databaseUrl: string;
  /** Superuser URL of PostgreSQL's maintenance database. */
  readonly serverUrl: string;
  readonly credentials: DevCredentials;
  readonly urls: DevUrls;
}

/** Makes the master database and the seeded tenants, each brought up to date. */
export async function seedDatabases({
  databaseUrl,
  serverUrl,
  credentials,
  urls,
}: SeedDatabasesOptions): Promise<void> {
  const masterUrl = new Secret(databaseUrl);
  await migrateMaster(masterUrl);
  const sealer = createAesGcmSealer([credentials.sealingKey]);
  const master = createMasterDatabase({ databaseUrl: masterUrl });
  const tenants = createTenantClients({ master, sealer, clock: systemClock, onEvent: () => {}, graceMs: 0 });
  try {
    await followServer(master, sealer, new URL(serverUrl).host);
    for (const { error, tenantId } of await migrateTenants({ master, sealer })) {
      if (error) throw new Error(`tenant ${tenantId} could not be migrated`, { cause: error });
    }
    for (const tenant of [systemTenant, ...demoTenants]) {
      const { tenantId, displayName } = tenant;
      await provisionTenant(
        { tenantId, displayName, isSystem: tenant === systemTenant },
        {
          master,
          masterDatabaseUrl: masterUrl,
          tenantDatabaseUrl: new Secret(serverUrl),
          sealer,
          ensureSigningKey: (db, id) => ensureSigningKey(db, id, sealer),
        },
      );
      const db = await tenants.open(tenantId);
      const providersUrl = urls.providers;
      await seedIdentityProviders(db, { tenant, credentials, sealer, providersUrl });
      await seedTenant(db, { tenant, credentials, mcpUrl: mcpUrlOf(urls, tenantId), providersUrl });
    }
  } finally {
    await tenants.close();
    await master.$disconnect();
  }
}

/** PostgreSQL has another port at each start: the tenants' databases are where it is now. */
async function followServer(master: MasterDatabase, sealer: Sealer, host: string): Promise<void> {
  for (const { id, sealedDatabaseUrl } of await master.tenant.findMany()) {
    const url = new URL(openDatabaseUrl(sealer, id, sealedDatabaseUrl).reveal());
    if (url.host === host) continue;
    url.host = host;
    const moved = sealDatabaseUrl(sealer, id, new Secret(url.href));
    await master.tenant.update({ where: { id }, data: { sealedDatabaseUrl: moved } });
  }
}
