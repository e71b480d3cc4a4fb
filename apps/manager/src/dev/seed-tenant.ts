import { createHash } from 'node:crypto';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { hashClientSecret } from '../modules/applications/client-secret.js';
import { hashPassword } from '../modules/sign-in/passwords.js';
import type { ClientCredentials, DevCredentials } from './dev-credentials.js';
import { seededIdentityOf } from './seed-identity-providers.js';
import { operatorRole, type SeedBundle, type SeedPerson, type SeedTenant } from './seed-data.js';

export interface SeedTenantOptions {
  readonly tenant: SeedTenant;
  readonly credentials: DevCredentials;
  /** What `aud` of the demo application's tokens is; it may be another at each start. */
  readonly mcpUrl: string;
  /** Where the development identity providers are. */
  readonly providersUrl: string;
}

const seededAction = 'dev.seeded';
const longAgo = new Date('2024-01-01T00:00:00Z');

/**
 * Writes the people, rights and applications once for each version of the seed data: what was changed by hand since
 * stays. Called again after it was cut off, it goes on.
 */
export async function seedTenant(db: TenantDatabase, options: SeedTenantOptions): Promise<void> {
  const { tenant, credentials, mcpUrl, providersUrl } = options;
  if (tenant.demo) await seedDemo(db, credentials.client(tenant.tenantId, 'demo-mcp'), mcpUrl, tenant.demo.scopes);
  const version = createHash('sha256').update(JSON.stringify(tenant)).digest('base64url');
  const seeded = await db.auditEvent.findFirst({ where: { action: seededAction }, orderBy: { id: 'desc' } });
  if (seeded?.targetId === version) return;
  await seedRights(db, tenant);
  for (const person of tenant.people.filter(({ comesAnew }) => !comesAnew)) {
    const identity = seededIdentityOf(tenant, person, providersUrl);
    await seedPerson(db, person, identity ?? { password: credentials.password(person.email) });
  }
  if (tenant.demo) await seedStdioDemo(db, tenant.demo);
  await seedMachine(db, credentials.client(tenant.tenantId, 'dev-admin'));
  await db.auditEvent.create({
    data: { action: seededAction, actorKind: 'system', targetKind: 'seed', targetId: version, outcome: 'success' },
  });
}

async function seedRights(db: TenantDatabase, tenant: SeedTenant): Promise<void> {
  const bundles: readonly SeedBundle[] = [...Object.values(tenant.roles), ...Object.values(tenant.groups)];
  const held = [...bundles, ...tenant.people, ...(tenant.demo ? [tenant.demo] : [])];
  for (const name of unique(held.flatMap(({ scopes }) => scopes ?? []))) {
    await db.scope.upsert({ where: { name }, create: { name }, update: {} });
  }
  for (const name of unique(bundles.concat(tenant.people).flatMap(({ resources }) => resources ?? []))) {
    await db.resource.upsert({ where: { name }, create: { name }, update: {} });
  }
  for (const [name, { permissions, scopes, resources }] of Object.entries(tenant.roles)) {
    const { id: roleId } = await db.role.upsert({ where: { name }, create: { name }, update: {} });
    for (const permission of permissions ?? []) {
      const { id: permissionId } = await db.permission.upsert({
        where: { name: permission },
        create: { name: permission },
        update: {},
      });
      const link = { roleId, permissionId };
      await db.rolePermission.upsert({ where: { roleId_permissionId: link }, create: link, update: {} });
    }
    for (const scopeId of await scopeIds(db, scopes)) {
      await db.roleScope.upsert({
        where: { roleId_scopeId: { roleId, scopeId } },
        create: { roleId, scopeId },
        update: {},
      });
    }
    for (const resourceId of await resourceIds(db, resources)) {
      const link = { roleId, resourceId };
      await db.roleResource.upsert({ where: { roleId_resourceId: link }, create: link, update: {} });
    }
  }
  for (const [name, { roles, scopes, resources }] of Object.entries(tenant.groups)) {
    const { id: groupId } = await db.group.upsert({ where: { name }, create: { name }, update: {} });
    for (const roleId of await roleIds(db, roles)) {
      await db.groupRole.upsert({
        where: { groupId_roleId: { groupId, roleId } },
        create: { groupId, roleId },
        update: {},
      });
    }
    for (const scopeId of await scopeIds(db, scopes)) {
      const link = { groupId, scopeId };
      await db.groupScope.upsert({ where: { groupId_scopeId: link }, create: link, update: {} });
    }
    for (const resourceId of await resourceIds(db, resources)) {
      const link = { groupId, resourceId };
      await db.groupResource.upsert({ where: { groupId_resourceId: link }, create: link, update: {} });
    }
  }
}

async function seedPerson(
  db: TenantDatabase,
  person: SeedPerson,
  way: { readonly password: string } | { readonly issuer: string; readonly subject: string },
): Promise<void> {
  const { email, displayName } = person;
  const signsIn =
    'password' in way
      ? { password: { create: { passwordHash: await hashPassword(way.password) } } }
      : { identities: { create: way } };
  const { id: userId } = await db.user.upsert({
    where: { email },
    create: { email, displayName, emailVerified: true, ...signsIn },
    update: {},
  });
  for (const roleId of await roleIds(db, person.roles)) {
    await db.userRole.upsert({ where: { userId_roleId: { userId, roleId } }, create: { userId, roleId }, update: {} });
  }
  for (const roleId of await roleIds(db, person.expiredRoles)) {
    const expired = { userId, roleId, expiresAt: longAgo };
    await db.userRole.upsert({ where: { userId_roleId: { userId, roleId } }, create: expired, update: {} });
  }
  for (const name of person.groups ?? []) {
    const { id: groupId } = await db.group.findUniqueOrThrow({ where: { name } });
    await db.groupMember.upsert({
      where: { groupId_userId: { groupId, userId } },
      create: { groupId, userId },
      update: {},
    });
  }
  for (const scopeId of await scopeIds(db, person.scopes)) {
    await db.userScope.upsert({
      where: { userId_scopeId: { userId, scopeId } },
      create: { userId, scopeId },
      update: {},
    });
  }
  for (const resourceId of await resourceIds(db, person.resources)) {
    const link = { userId, resourceId };
    await db.userResource.upsert({ where: { userId_resourceId: link }, create: link, update: {} });
  }
}

async function seedDemo(
  db: TenantDatabase,
  { clientId, clientSecret }: ClientCredentials,
  resourceUrl: string,
  scopes: readonly string[],
): Promise<void> {
  await db.application.upsert({
    where: { clientId },
    create: {
      clientId,
      name: 'Demo MCP server',
      clientSecretHash: hashClientSecret(clientSecret),
      grantTypes: ['authorization_code', 'client_credentials'],
      completionPage: true,
      pasteToken: true,
      resourceUrl,
      scopes: [...scopes],
    },
    update: { resourceUrl },
  });
}

/** The demo on a person's own machine: no secret, ends on loopback, or on the page where there is no browser. */
async function seedStdioDemo(db: TenantDatabase, { stdio, scopes }: NonNullable<SeedTenant['demo']>): Promise<void> {
  await db.application.upsert({
    where: { clientId: stdio },
    create: {
      clientId: stdio,
      name: 'Demo MCP server (stdio)',
      tokenEndpointAuthMethod: 'none',
      applicationType: 'native',
      redirectUris: ['http://127.0.0.1/callback'],
      grantTypes: ['authorization_code', 'refresh_token'],
      completionPage: true,
      scopes: [...scopes],
    },
    update: {},
  });
}

/** A machine that scripts and tests administrate the tenant with. */
async function seedMachine(db: TenantDatabase, { clientId, clientSecret }: ClientCredentials): Promise<void> {
  const { id: applicationId } = await db.application.upsert({
    where: { clientId },
    create: {
      clientId,
      name: 'Development administration',
      clientSecretHash: hashClientSecret(clientSecret),
      grantTypes: ['client_credentials'],
    },
    update: {},
  });
  for (const roleId of await roleIds(db, [operatorRole])) {
    const link = { applicationId, roleId };
    await db.applicationRole.upsert({ where: { applicationId_roleId: link }, create: link, update: {} });
  }
}

async function roleIds(db: TenantDatabase, names: readonly string[] = []): Promise<readonly string[]> {
  return Promise.all(names.map(async (name) => (await db.role.findUniqueOrThrow({ where: { name } })).id));
}

async function scopeIds(db: TenantDatabase, names: readonly string[] = []): Promise<readonly string[]> {
  return Promise.all(names.map(async (name) => (await db.scope.findUniqueOrThrow({ where: { name } })).id));
}

async function resourceIds(db: TenantDatabase, names: readonly string[] = []): Promise<readonly string[]> {
  return Promise.all(names.map(async (name) => (await db.resource.findUniqueOrThrow({ where: { name } })).id));
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
