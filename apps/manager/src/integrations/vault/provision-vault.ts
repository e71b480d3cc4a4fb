import { z } from 'zod';
import { SecretStoreError } from '../../ports/secret-store.js';
import { connectVault, type VaultClient, type VaultConnectionOptions } from './vault-client.js';
import { readAnswer } from './vault-logins.js';
import { assertTenantId, type VaultMounts, type VaultPath, vaultPath } from './vault-paths.js';
import {
  managerPolicy,
  policyNames,
  templatedTenantPolicy,
  tenantPolicy,
  tenantPolicyName,
  tenantRole,
  type TransitKey,
} from './vault-policies.js';

/** With an operator's token; the Manager never has it. */
export interface VaultOperator extends VaultConnectionOptions {
  readonly token: string;
}

export interface VaultPlan {
  readonly mounts: VaultMounts;
  readonly transit: TransitKey;
  /** Mount of the AppRole method by which the Manager comes in; default `approle`. */
  readonly managerAuthMount?: string;
  /** Default true: the Manager makes the roles of new tenants by itself, bound to the one templated policy. */
  readonly makesTenants?: boolean;
  /** Of the Manager's token, in which it is renewed; default `20m`. */
  readonly managerTokenPeriod?: string;
}

export interface ManagerLogin {
  readonly roleId: string;
  readonly secretId: string;
}

const roleIdSchema = z.object({ data: z.object({ role_id: z.string() }) });
const secretIdSchema = z.object({ data: z.object({ secret_id: z.string() }) });
const wrappedSchema = z.object({ wrap_info: z.object({ token: z.string() }) });
const mountsSchema = z.object({ data: z.record(z.string(), z.object({ type: z.string(), accessor: z.string() })) });

/** The mounts with the default names. */
export function vaultPlan(secrets = 'authsec'): VaultPlan {
  return {
    mounts: { secrets, databases: `${secrets}-database`, tenants: `${secrets}-tenants` },
    transit: { mount: `${secrets}-transit`, key: 'sealing-keys' },
  };
}

/** Mounts, policies and the Manager's AppRole, as docs/vault.md has them; run again it changes nothing. */
export async function provisionVault(operator: VaultOperator, plan: VaultPlan): Promise<ManagerLogin> {
  const { mounts, transit, managerAuthMount = 'approle', managerTokenPeriod = '20m' } = plan;
  const names = policyNames(mounts);
  return asOperator(operator, async (client) => {
    const engines = await listMounts(client, 'sys/mounts');
    const enable = async (mount: string, body: Readonly<Record<string, unknown>>): Promise<void> => {
      if (!engines.has(`${mount}/`)) await put(client, vaultPath('sys/mounts', mount), body);
    };
    await enable(mounts.secrets, { type: 'kv', options: { version: '2' } });
    await enable(mounts.databases, { type: 'database' });
    await enable(transit.mount, { type: 'transit' });
    const key = vaultPath(transit.mount, 'keys', transit.key);
    await client.request({ method: 'GET', path: key, what: `reading ${key}` }).catch(async (error: unknown) => {
      if (!(error instanceof SecretStoreError) || error.failure !== 'missing') throw error;
      await put(client, key, { type: 'aes256-gcm96' });
    });
    for (const mount of [mounts.tenants, managerAuthMount]) {
      const methods = await listMounts(client, 'sys/auth');
      if (!methods.has(`${mount}/`)) await put(client, vaultPath('sys/auth', mount), { type: 'approle' });
    }
    const accessor = (await listMounts(client, 'sys/auth')).get(`${mounts.tenants}/`) ?? '';
    await writePolicy(client, names.tenant, templatedTenantPolicy(accessor, mounts));
    await writePolicy(client, names.manager, managerPolicy(mounts, transit, plan));
    const role = vaultPath('auth', managerAuthMount, 'role', names.manager);
    await put(client, role, {
      token_policies: names.manager,
      token_no_default_policy: true,
      token_period: managerTokenPeriod,
    });
    return issueManagerLogin(client, role);
  });
}

/** A policy and a role of the tenant's own, where the Manager is not to make them. */
export async function provisionTenant(operator: VaultOperator, mounts: VaultMounts, tenantId: string): Promise<void> {
  assertTenantId(tenantId);
  await asOperator(operator, async (client) => {
    const policy = tenantPolicyName(tenantId, mounts);
    await writePolicy(client, policy, tenantPolicy(tenantId, mounts));
    await put(client, vaultPath('auth', mounts.tenants, 'role', tenantId), tenantRole(policy));
  });
}

/** The login of a further replica: a wrapping token, to be opened once, within `wrapSeconds`. */
export async function wrapManagerSecretId(
  operator: VaultOperator,
  plan: VaultPlan,
  wrapSeconds = 300,
): Promise<string> {
  const { mounts, managerAuthMount = 'approle' } = plan;
  const path = vaultPath('auth', managerAuthMount, 'role', policyNames(mounts).manager, 'secret-id');
  const what = 'a wrapped secret id of the Manager';
  return asOperator(operator, async (client) => {
    const answer = await client.request({ method: 'POST', path, what, body: {}, wrapSeconds });
    return readAnswer(wrappedSchema, answer, what).wrap_info.token;
  });
}

async function issueManagerLogin(client: VaultClient, role: VaultPath): Promise<ManagerLogin> {
  const what = "the Manager's login";
  const [id, secret] = [vaultPath(role, 'role-id'), vaultPath(role, 'secret-id')];
  return {
    roleId: readAnswer(roleIdSchema, await client.request({ method: 'GET', path: id, what }), what).data.role_id,
    secretId: readAnswer(secretIdSchema, await put(client, secret, {}), what).data.secret_id,
  };
}

async function listMounts(client: VaultClient, where: 'sys/mounts' | 'sys/auth'): Promise<Map<string, string>> {
  const what = `listing ${where}`;
  const answer = await client.request({ method: 'GET', path: vaultPath(where), what });
  const { data } = readAnswer(mountsSchema, answer, what);
  return new Map(Object.entries(data).map(([path, { accessor }]) => [path, accessor]));
}

async function writePolicy(client: VaultClient, name: string, policy: string): Promise<void> {
  await put(client, vaultPath('sys/policies/acl', name), { policy });
}

function put(client: VaultClient, path: VaultPath, body: Readonly<Record<string, unknown>>): Promise<unknown> {
  return client.request({ method: 'POST', path, what: `writing ${path}`, body });
}

async function asOperator<T>(operator: VaultOperator, work: (client: VaultClient) => Promise<T>): Promise<T> {
  const connection = connectVault({ requestTimeoutMs: 10_000, ...operator });
  try {
    return await work(connection.as(operator.token));
  } finally {
    await connection.close();
  }
}
