import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';
import { Secret } from '../../src/config/secret.js';
import { createMasterDatabase, migrateMaster, type MasterDatabase } from '../../src/db/master-client.js';
import { createAesGcmSealer } from '../../src/integrations/aes-gcm-sealer.js';
import { ensureSigningKey } from '../../src/integrations/signing-keys.js';
import type { Provisioning } from '../../src/modules/tenants/provision-tenant.js';
import type { Sealer } from '../../src/ports/sealer.js';

export interface TestStack extends Provisioning {
  readonly master: MasterDatabase;
  readonly sealer: Sealer;
  /** Base64; its id is k1. */
  readonly sealingKey: string;
  readonly provisioning: Provisioning;
  /** A tenant id that no other test uses; what is made under it is removed by `close`. */
  newTenantId(): string;
  /** On the server's maintenance database. */
  admin: Client;
  close(): Promise<void>;
}

/** A master database of its own on the test server, and everything that provisioning needs. */
export async function createTestStack(): Promise<TestStack> {
  const server = process.env.AUTHSEC_TEST_DATABASE_URL!;
  const masterUrl = new URL(server);
  masterUrl.pathname = `/master_${randomBytes(6).toString('hex')}`;
  const masterDatabaseUrl = new Secret(masterUrl.href);
  await migrateMaster(masterDatabaseUrl);
  const master = createMasterDatabase({ databaseUrl: masterDatabaseUrl });
  const sealingKey = randomBytes(32).toString('base64');
  const sealer = createAesGcmSealer([{ id: 'k1', key: new Secret(sealingKey) }]);
  const provisioning: Provisioning = {
    master,
    masterDatabaseUrl,
    tenantDatabaseUrl: new Secret(server),
    sealer,
    ensureSigningKey: (db, tenantId) => ensureSigningKey(db, tenantId, sealer),
  };
  const admin = new Client({ connectionString: server });
  await admin.connect();
  const ids: string[] = [];
  return {
    ...provisioning,
    provisioning,
    sealingKey,
    admin,
    newTenantId() {
      const id = `t${randomBytes(6).toString('hex')}`;
      ids.push(id);
      return id;
    },
    async close() {
      await master.$disconnect();
      await admin.query(`DROP DATABASE ${escapeIdentifier(masterUrl.pathname.slice(1))} WITH (FORCE)`);
      for (const name of ids.map((id) => escapeIdentifier(`tenant_${id}`))) {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        await admin.query(`DROP ROLE IF EXISTS ${name}`);
      }
      await admin.end();
    },
  };
}
