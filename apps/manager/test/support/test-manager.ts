import { randomBytes, randomUUID } from 'node:crypto';
import type { Express } from 'express';
import { importJWK, type JWTPayload, SignJWT } from 'jose';
import { Client, escapeIdentifier } from 'pg';
import { createApp } from '../../src/app.js';
import { apiAudienceOf, issuerOf } from '../../src/authorization/issuer.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Secret } from '../../src/config/secret.js';
import { type Container, type ContainerParts, createContainer } from '../../src/container.js';
import { migrateMaster } from '../../src/db/master-client.js';
import type { TenantDatabase } from '../../src/db/tenant-clients.js';
import { createLogger } from '../../src/integrations/logger.js';
import { loadSigningKeys } from '../../src/integrations/signing-keys.js';

export interface TestTenant {
  readonly id: string;
  readonly issuer: string;
  readonly db: TenantDatabase;
  /** Signs claims with the tenant's own key; what is given replaces the defaults, undefined takes a claim out. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
}

export interface TestManager {
  readonly env: Record<string, string>;
  readonly container: Container;
  readonly app: Express;
  /** A second Manager process's parts on the same databases. */
  another(parts?: ContainerParts): Promise<{ container: Container; app: Express }>;
  /** One that no other test uses; what is made under it is removed by `close`. */
  newTenantId(): string;
  createTenant(options?: { isSystem?: boolean }): Promise<TestTenant>;
  close(): Promise<void>;
}

const server = () => process.env.AUTHSEC_TEST_DATABASE_URL!;

/** A Manager on databases of its own on the test server. */
export async function createTestManager(
  parts: ContainerParts = {},
  settings: Record<string, string> = {},
): Promise<TestManager> {
  const masterUrl = new URL(server());
  masterUrl.pathname = `/master_${randomBytes(6).toString('hex')}`;
  await migrateMaster(new Secret(masterUrl.href));
  const env = {
    AUTHSEC_URL: 'https://authsec.test',
    AUTHSEC_DATABASE_URL: masterUrl.href,
    AUTHSEC_TENANT_DATABASE_URL: server(),
    AUTHSEC_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AUTHSEC_COOKIE_KEYS: randomBytes(32).toString('hex'),
    AUTHSEC_LOG_LEVEL: 'silent',
    ...settings,
  };
  const config = loadConfig(env);
  const containers: Container[] = [];
  const tenantIds: string[] = [];

  async function another(own: ContainerParts = {}) {
    const container = await createContainer(config, { logger: createLogger('silent'), ...own });
    containers.push(container);
    return { container, app: createApp(container) };
  }
  const { container, app } = await another(parts);
  const newTenantId = () => {
    const id = `t${randomBytes(6).toString('hex')}`;
    tenantIds.push(id);
    return id;
  };

  return {
    env,
    container,
    app,
    another,
    newTenantId,
    async createTenant({ isSystem = false } = {}) {
      const id = newTenantId();
      await container.tenantsService.provision({ tenantId: id, displayName: id, isSystem });
      const db = await container.tenants.open(id);
      const issuer = issuerOf(config.url, id);
      const { jwks } = await loadSigningKeys(db, id, container.sealer);
      const [jwk] = jwks.keys;
      const key = await importJWK(jwk!, jwk!.alg);
      return {
        id,
        issuer,
        db,
        sign(claims, header = {}) {
          const now = Math.floor(Date.now() / 1000);
          const defaults = { iss: issuer, aud: apiAudienceOf(issuer), tenant_id: id, jti: randomUUID() };
          const payload = { ...defaults, iat: now, nbf: now, exp: now + 600, ...claims };
          const kept = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
          return new SignJWT(kept)
            .setProtectedHeader({ alg: jwk!.alg!, kid: jwk!.kid!, typ: 'at+jwt', ...header })
            .sign(key);
        },
      };
    },
    async close() {
      for (const one of containers) await one.close();
      const admin = new Client({ connectionString: server() });
      await admin.connect();
      const databases = [masterUrl.pathname.slice(1), ...tenantIds.map((id) => `tenant_${id}`)];
      for (const name of databases) {
        await admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
        await admin.query(`DROP ROLE IF EXISTS ${escapeIdentifier(name)}`);
      }
      await admin.end();
    },
  };
}
