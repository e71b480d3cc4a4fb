import { randomBytes } from 'node:crypto';
import type { Application, User } from '@authsec/prisma/tenant';
import { createPrincipal } from '@authsec/rbac-core';
import type { Caller } from '../../src/authorization/caller.js';
import type { TestTenant } from './test-manager.js';

export const random = (bytes = 18) => randomBytes(bytes).toString('base64url');

export interface TestApplication extends Application {
  /** An Authorization header with a client-credentials token of it. */
  bearer(claims?: Record<string, unknown>): Promise<string>;
}

export async function createTestApplication(
  tenant: TestTenant,
  data: { scopes?: string[]; resourceUrl?: string | null; roles?: string[] } = {},
): Promise<TestApplication> {
  const { roles = [], ...rest } = data;
  const application = await tenant.db.application.create({
    data: {
      clientId: `app_${random(6)}`,
      name: 'Test',
      resourceUrl: `https://mcp.test/${random(6)}`,
      ...rest,
      roles: { create: roles.map((name) => ({ role: { connect: { name } } })) },
    },
  });
  return {
    ...application,
    async bearer(claims = {}) {
      const own = { sub: application.clientId, client_id: application.clientId };
      return `Bearer ${await tenant.sign({ ...own, ...claims })}`;
    },
  };
}

export interface TestPersonData {
  roles?: string[];
  groups?: string[];
  scopes?: string[];
  resources?: string[];
  status?: 'active' | 'disabled';
}

/** A person with what is named, which is made where the tenant does not have it. */
export async function createTestPerson(tenant: TestTenant, data: TestPersonData = {}): Promise<User> {
  const { roles = [], groups = [], scopes = [], resources = [], status = 'active' } = data;
  const existing = (name: string) => ({ connectOrCreate: { where: { name }, create: { name } } });
  return tenant.db.user.create({
    data: {
      email: `${random(6).toLowerCase()}@example.test`,
      status,
      roles: { create: roles.map((name) => ({ role: existing(name) })) },
      groups: { create: groups.map((name) => ({ group: existing(name) })) },
      scopes: { create: scopes.map((name) => ({ scope: existing(name) })) },
      resources: { create: resources.map((name) => ({ resource: existing(name) })) },
    },
  });
}

/** A role with permissions, which are made where the tenant does not have them. */
export async function createTestRole(tenant: TestTenant, name: string, permissions: string[]): Promise<string> {
  await tenant.db.role.create({
    data: {
      name,
      permissions: {
        create: permissions.map((permission) => ({
          permission: { connectOrCreate: { where: { name: permission }, create: { name: permission } } },
        })),
      },
    },
  });
  return name;
}

export interface TestLogin {
  readonly sid: string;
  readonly mcpSession: string;
  /** The person's access token for the application, as the login gives it. */
  readonly token: (claims?: Record<string, unknown>) => Promise<string>;
}

/** What the authorization server leaves behind when an in-band login is complete. */
export async function createTestLogin(
  tenant: TestTenant,
  application: Application,
  user: User,
  options: { scopes?: string[]; expiresAt?: Date; bound?: boolean; inBand?: boolean } = {},
): Promise<TestLogin> {
  const { scopes = [], expiresAt = new Date(Date.now() + 3_600_000), bound = false, inBand = true } = options;
  const sid = random();
  const mcpSession = random();
  await tenant.db.session.create({
    data: {
      id: sid,
      userId: user.id,
      applicationId: application.id,
      mcpSession: inBand ? mcpSession : null,
      scopes,
      clientName: 'Test client',
      expiresAt,
      boundAt: bound ? new Date() : null,
    },
  });
  const aud = application.resourceUrl ?? `urn:authsec:application:${application.clientId}`;
  const token = (claims: Record<string, unknown> = {}) =>
    tenant.sign({
      aud,
      sub: user.id,
      client_id: application.clientId,
      sid,
      email: user.email,
      mcp_session: mcpSession,
      roles: [],
      groups: [],
      scopes,
      resources: [],
      ...claims,
    });
  return { sid, mcpSession, token };
}

/** An Authorization header of a person with these roles for the API: an access token of a login that lives. */
export async function personBearer(
  tenant: TestTenant,
  application: Application,
  user: User,
  roles: string[],
): Promise<string> {
  const { sid } = await createTestLogin(tenant, application, user, { inBand: false });
  return `Bearer ${await tenant.sign({ sub: user.id, client_id: application.clientId, sid, roles })}`;
}

/** The application as a service sees it when it calls for itself. */
export function callerOf(tenant: TestTenant, application: Application): Caller {
  const { id, clientId, resourceUrl } = application;
  return {
    tenantId: tenant.id,
    issuer: tenant.issuer,
    db: tenant.db,
    kind: 'application',
    application: { id, clientId, resourceUrl },
    userId: undefined,
    principal: async () => createPrincipal({ roles: [], groups: [], scopes: [], resources: [], permissions: [] }),
    reach: 'own',
  };
}

/** The tenant's database, and how many operations were asked of it. */
export function countQueries(tenant: TestTenant): { db: TestTenant['db']; queries: () => number } {
  let count = 0;
  const db = tenant.db.$extends({
    query: {
      $allOperations({ args, query }) {
        count++;
        return query(args);
      },
    },
  }) as unknown as TestTenant['db'];
  return { db, queries: () => count };
}
