import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../../ports/clock.js';
import { SecretStoreError } from '../../ports/secret-store.js';
import type { VaultClient } from './vault-client.js';
import { type ConnectAs, readAnswer, readToken, type VaultToken } from './vault-logins.js';
import { assertTenantId, type VaultMounts, vaultPath } from './vault-paths.js';
import { policyNames, tenantRole } from './vault-policies.js';
import { createVaultSession, type VaultSession } from './vault-session.js';

export interface TenantSessionsOptions {
  readonly mounts: VaultMounts;
  readonly manager: VaultSession;
  readonly connectAs: ConnectAs;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface TenantSessions {
  of(tenantId: string): VaultSession;
  close(): void;
}

const roleIdSchema = z.object({ data: z.object({ role_id: z.string().min(1) }) });
const wrappedSchema = z.object({
  wrap_info: z.object({ token: z.string().min(1), creation_path: z.string() }),
});
const secretIdSchema = z.object({ data: z.object({ secret_id: z.string().min(1) }) });
const wrapSeconds = 60;

/** One token a tenant, of that tenant's own AppRole: it opens nothing of another's. Let go when nobody uses it. */
export function createTenantSessions(options: TenantSessionsOptions): TenantSessions {
  const { mounts, manager, connectAs, clock, logger } = options;
  const sessions = new Map<string, VaultSession>();
  return {
    of(tenantId) {
      assertTenantId(tenantId);
      let session = sessions.get(tenantId);
      if (!session) {
        const made = createVaultSession({
          name: `tenant ${tenantId}`,
          login: () => logInTenant(tenantId, { mounts, manager, connectAs }),
          connectAs,
          clock,
          logger,
          keep: false,
          onEnd: () => {
            if (sessions.get(tenantId) === made) sessions.delete(tenantId);
          },
        });
        session = made;
        sessions.set(tenantId, session);
      }
      return session;
    },
    close() {
      for (const session of sessions.values()) session.close();
    },
  };
}

async function logInTenant(
  tenantId: string,
  { mounts, manager, connectAs }: Pick<TenantSessionsOptions, 'mounts' | 'manager' | 'connectAs'>,
): Promise<VaultToken> {
  const what = `the login of tenant ${tenantId}`;
  const role = `auth/${mounts.tenants}/role/${tenantId}`;
  const { roleId, wrapped } = await manager.run(async (client) => ({
    roleId: await findRoleId(client, tenantId, mounts),
    wrapped: await client.request({ method: 'POST', path: vaultPath(role, 'secret-id'), what, body: {}, wrapSeconds }),
  }));
  const { token: wrappingToken, creation_path: madeAt } = readAnswer(wrappedSchema, wrapped, what).wrap_info;
  if (madeAt !== `${role}/secret-id`) throw new SecretStoreError('foreign', `${what}: a secret id of another role`);
  const unwrapped = await connectAs(wrappingToken).request({
    method: 'POST',
    path: vaultPath('sys/wrapping/unwrap'),
    what,
  });
  const { secret_id: secretId } = readAnswer(secretIdSchema, unwrapped, what).data;
  const body = { role_id: roleId, secret_id: secretId };
  const path = vaultPath('auth', mounts.tenants, 'login');
  const token = readToken(await connectAs(undefined).request({ method: 'POST', path, what, body }), what);
  if (token.metadata['role_name'] !== tenantId)
    throw new SecretStoreError('foreign', `${what}: a token of another role`);
  return token;
}

/** Makes the role where there is none and the Manager's token may. */
async function findRoleId(client: VaultClient, tenantId: string, mounts: VaultMounts): Promise<string> {
  const what = `the role of tenant ${tenantId}`;
  const role = `auth/${mounts.tenants}/role/${tenantId}`;
  const read = async (): Promise<string> => {
    const answer = await client.request({ method: 'GET', path: vaultPath(role, 'role-id'), what });
    return readAnswer(roleIdSchema, answer, what).data.role_id;
  };
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof SecretStoreError) || error.failure !== 'missing') throw error;
    await client
      .request({ method: 'POST', path: vaultPath(role), what, body: tenantRole(policyNames(mounts).tenant) })
      .catch((cause: unknown) => {
        if (!(cause instanceof SecretStoreError) || cause.failure !== 'denied') throw cause;
        throw new SecretStoreError('denied', `${what} is not there, and the Manager may not make it: docs/vault.md`);
      });
    return read();
  }
}
