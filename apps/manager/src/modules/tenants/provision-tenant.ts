import { randomBytes } from 'node:crypto';
import type { Tenant } from '@authsec/prisma/master';
import { applyMigrations } from '@authsec/prisma/migrate';
import { createTenantClient } from '@authsec/prisma/tenant';
import { Secret } from '../../config/secret.js';
import { connectDatabaseServer, withDatabaseLock, type DatabaseServer } from '../../db/database-server.js';
import type { MasterDatabase } from '../../db/master-client.js';
import type { TenantDatabase } from '../../db/tenant-clients.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../../db/tenant-database-url.js';
import { AppError } from '../../errors/app-error.js';
import type { Sealer } from '../../ports/sealer.js';
import { assertOwnDatabase, seedCatalogue, stampDatabase } from './seed-tenant.js';
import { assertNewTenantId, databaseNameOf } from './tenant.js';
import { findTenant, insertTenant, updateTenant } from './tenants.repository.js';

export interface NewTenant {
  readonly tenantId: string;
  readonly displayName: string;
  /** The one tenant whose people are operators; default false. */
  readonly isSystem?: boolean;
}

export const provisioningSteps = [
  'locked',
  'recorded',
  'role_created',
  'database_created',
  'access_restricted',
  'migrated',
  'catalogue_seeded',
  'keys_created',
  'stamped',
  'activated',
] as const;
export type ProvisioningStep = (typeof provisioningSteps)[number];

export interface Provisioning {
  readonly master: MasterDatabase;
  readonly masterDatabaseUrl: Secret;
  /** The server for new tenants' databases: a role that may create roles and databases. */
  readonly tenantDatabaseUrl: Secret;
  readonly sealer: Sealer;
  /** Makes the first signing key where there is none. */
  readonly ensureSigningKey: (db: TenantDatabase, tenantId: string) => Promise<void>;
  /** Called after each step; what it throws stops the provisioning there. */
  readonly onStep?: (step: ProvisioningStep) => void | Promise<void>;
}

/**
 * Makes a tenant, or goes on where an earlier call stopped: every step may be repeated, and the row in the master that
 * is written first holds what the later ones need. For a tenant that is complete it only sets the display name.
 */
export async function provisionTenant(tenant: NewTenant, provisioning: Provisioning): Promise<Tenant> {
  assertNewTenantId(tenant.tenantId, tenant.isSystem ?? false);
  return withDatabaseLock(provisioning.masterDatabaseUrl, `authsec/provision/${tenant.tenantId}`, async () => {
    await provisioning.onStep?.('locked');
    const server = await connectDatabaseServer(provisioning.tenantDatabaseUrl);
    try {
      const row = await record(tenant, provisioning, server);
      await provisioning.onStep?.('recorded');
      return row.status === 'provisioning' ? await complete(row, provisioning, server) : row;
    } finally {
      await server.close();
    }
  });
}

/** The row, with the sealed URL of a database that is on the server asked for. */
async function record(tenant: NewTenant, provisioning: Provisioning, server: DatabaseServer): Promise<Tenant> {
  const { master, sealer } = provisioning;
  const { tenantId: id, displayName, isSystem = false } = tenant;
  const url = newDatabaseUrl(provisioning.tenantDatabaseUrl, id);
  const row = await findTenant(master, id);
  if (!row) {
    if (await server.hasDatabase(databaseNameOf(id))) {
      throw new AppError('conflict', `there is a database ${databaseNameOf(id)} of no known tenant`);
    }
    return insertTenant(master, { id, displayName, isSystem, sealedDatabaseUrl: sealDatabaseUrl(sealer, id, url) });
  }
  if (row.isSystem !== isSystem) throw new AppError('conflict', `isSystem of tenant ${id} cannot be changed`);
  const moved = row.status === 'provisioning' && !sameServer(openDatabaseUrl(sealer, id, row.sealedDatabaseUrl), url);
  if (!moved && row.displayName === displayName) return row;
  return updateTenant(master, id, {
    displayName,
    ...(moved && { sealedDatabaseUrl: sealDatabaseUrl(sealer, id, url) }),
  });
}

async function complete(row: Tenant, provisioning: Provisioning, server: DatabaseServer): Promise<Tenant> {
  const { master, sealer, ensureSigningKey, onStep } = provisioning;
  const name = databaseNameOf(row.id);
  const url = openDatabaseUrl(sealer, row.id, row.sealedDatabaseUrl);
  await server.ensureRole(name, new Secret(decodeURIComponent(new URL(url.reveal()).password)));
  await onStep?.('role_created');
  await server.ensureDatabase(name, name);
  await onStep?.('database_created');
  await server.restrictAccess(name);
  await onStep?.('access_restricted');
  const { schemaVersion } = await applyMigrations({ url: url.reveal(), kind: 'tenant', stamp: row.id });
  await onStep?.('migrated');
  const db = createTenantClient({ url: url.reveal(), maxConnections: 1 });
  try {
    await assertOwnDatabase(db, row.id);
    await seedCatalogue(db, row.isSystem);
    await onStep?.('catalogue_seeded');
    await ensureSigningKey(db, row.id);
    await onStep?.('keys_created');
    await stampDatabase(db, row.id);
    await onStep?.('stamped');
  } finally {
    await db.$disconnect();
  }
  const active = await updateTenant(master, row.id, { status: 'active', schemaVersion });
  await onStep?.('activated');
  return active;
}

function newDatabaseUrl(server: Secret, tenantId: string): Secret {
  const url = new URL(server.reveal());
  url.username = databaseNameOf(tenantId);
  url.password = randomBytes(32).toString('base64url');
  url.pathname = `/${databaseNameOf(tenantId)}`;
  return new Secret(url.href);
}

function sameServer(a: Secret, b: Secret): boolean {
  return new URL(a.reveal()).host === new URL(b.reveal()).host;
}
