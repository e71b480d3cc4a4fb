import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '../../src/config/secret.js';
import type { VaultLogin } from '../../src/config/vault-settings.js';
import {
  type ManagerLogin,
  provisionTenant,
  provisionVault,
  wrapManagerSecretId,
} from '../../src/integrations/vault/provision-vault.js';
import { managerPolicy, policyNames } from '../../src/integrations/vault/vault-policies.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import type { SecretStore } from '../../src/ports/secret-store.js';
import { createCertificate } from '../support/certificate.js';
import { until } from '../support/until.js';
import { failureOf } from './secret-store-contract.js';
import {
  asOperator,
  type CountingProxy,
  describeVault,
  openCountingProxy,
  openVault,
  settingsFor,
  silent,
  testOwn,
  type VaultUnderTest,
} from './vault-under-test.js';

describeVault('logging in to a real Vault', () => {
  let vault: VaultUnderTest;
  let login: ManagerLogin;
  let proxy: CountingProxy;
  const opened: SecretStore[] = [];

  beforeAll(async () => {
    vault = await openVault();
    login = await provision();
    proxy = await openCountingProxy(vault.address);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });
  afterAll(async () => {
    await proxy?.close();
    await vault?.stop();
  });

  const operator = () => ({ address: vault.address, token: vault.rootToken });
  const provision = (more = {}) => provisionVault(operator(), { ...vault.plan, ...more });
  const names = () => policyNames(vault.plan.mounts);
  const mount = () => vault.plan.managerAuthMount ?? 'approle';
  const open = async (as: ManagerLogin | VaultLogin, more = {}): Promise<SecretStore> => {
    const settings = settingsFor({ address: proxy.address, plan: vault.plan }, as, more);
    const store = await createVaultSecretStore(settings, { logger: silent });
    opened.push(store);
    return store;
  };
  const useOnce = async (store: SecretStore, tenantId = 'acme'): Promise<void> => {
    const address = { tenantId, collection: 'services', serviceId: randomUUID() } as const;
    expect(await store.write(address, { token: 'x' }, { expectedVersion: 0 })).toBe(1);
    expect((await store.read(address)).value).toEqual({ token: 'x' });
  };

  test('by AppRole', async () => useOnce(await open(login)));

  test('provisioned again, nothing changes for who is in', async () => {
    const store = await open(login);
    await provision();
    await useOnce(store);
  });

  test('by AppRole with a wrapped secret id, which is unwrapped once for many logins', async () => {
    const wrapped = await wrapManagerSecretId(operator(), vault.plan);
    const store = await open(wrappedLogin(wrapped));
    await asOperator(vault, 'POST', `sys/leases/revoke-prefix/auth/${mount()}/login`, {});
    await asOperator(vault, 'POST', `sys/leases/revoke-prefix/auth/${vault.plan.mounts.tenants}/login`, {});
    await useOnce(store);
    expect(proxy.seen.filter(({ path }) => path === '/v1/sys/wrapping/lookup')).toHaveLength(1);
  });

  test('a wrapped secret id that someone opened before is a start-up error that says so', async () => {
    const wrapped = await wrapManagerSecretId(operator(), vault.plan);
    await asOperator({ address: vault.address, rootToken: wrapped }, 'POST', 'sys/wrapping/unwrap');
    await expect(open(wrappedLogin(wrapped))).rejects.toThrow(/AUTHSEC_VAULT_WRAPPED_SECRET_ID: was used before/);
  });

  test('a wrapped something else, put in its place, is not unwrapped', async () => {
    const body = { role_id: login.roleId, secret_id: login.secretId };
    const response = await fetch(`${vault.address}/v1/sys/wrapping/wrap`, {
      method: 'POST',
      headers: { 'X-Vault-Token': vault.rootToken, 'X-Vault-Wrap-TTL': '60s' },
      body: JSON.stringify(body),
    });
    const { wrap_info: wrapped } = (await response.json()) as { wrap_info: { token: string } };
    await expect(open(wrappedLogin(wrapped.token))).rejects.toThrow(/was made at "sys\/wrapping\/wrap"/);
    const left = await asOperator({ ...vault, rootToken: wrapped.token }, 'POST', 'sys/wrapping/unwrap');
    expect(left.data).toEqual(body);
  });

  // Vault itself asks the Kubernetes that stands in, which a server elsewhere would not reach.
  testOwn('by Kubernetes, with the token file read anew at each login', async () => {
    const reviews: string[] = [];
    const review = await listen((body) => {
      const { token } = (body as { spec: { token: string } }).spec;
      if (!reviews.includes(token)) reviews.push(token);
      const username = 'system:serviceaccount:auth:authsec';
      return { status: { authenticated: true, user: { username, uid: 'u', groups: [] }, audiences: ['vault'] } };
    });
    const folder = await mkdtemp(join(tmpdir(), 'authsec-k8s-'));
    const kubernetes = `${vault.plan.mounts.secrets}-kubernetes`;
    const [first, second] = [serviceAccountToken('first'), serviceAccountToken('second')];
    try {
      await asOperator(vault, 'POST', `sys/auth/${kubernetes}`, { type: 'kubernetes' });
      await asOperator(vault, 'POST', `auth/${kubernetes}/config`, {
        kubernetes_host: review.address,
        token_reviewer_jwt: first,
        kubernetes_ca_cert: createCertificate().certificate,
        disable_local_ca_jwt: true,
      });
      await asOperator(vault, 'POST', `auth/${kubernetes}/role/authsec`, {
        bound_service_account_names: 'authsec',
        bound_service_account_namespaces: 'auth',
        token_policies: names().manager,
        token_no_default_policy: true,
        token_ttl: '20m',
        audience: 'vault',
      });
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, `${first}\n`);
      const store = await open({ method: 'kubernetes', mount: kubernetes, role: 'authsec', tokenFile });
      await useOnce(store);
      await writeFile(tokenFile, second);
      await asOperator(vault, 'POST', `sys/leases/revoke-prefix/auth/${kubernetes}/login`, {});
      await asOperator(vault, 'POST', `sys/leases/revoke-prefix/auth/${vault.plan.mounts.tenants}/login`, {});
      await useOnce(store);
      expect(reviews).toEqual([first, second]);
    } finally {
      await review.close();
      await rm(folder, { recursive: true });
    }
  });

  test('a root token is a start-up error, unless the loud switch allows it', async () => {
    const root = { method: 'token', token: new Secret(vault.rootToken) } as const;
    const error = await open(root).catch((thrown: unknown) => thrown as Error);
    expect((error as Error).message).toMatch(
      /VAULT_TOKEN: is a root token.*AUTHSEC_DANGEROUSLY_ALLOW_VAULT_ROOT_TOKEN/,
    );
    expect((error as Error).message).not.toContain(vault.rootToken);
    await useOnce(await open(root, { dangerouslyAllowRootToken: true }));
  });

  test('a root token that it meets later, Vault having been away at the start, is never used', async () => {
    proxy.hang();
    const store = await open({ method: 'token', token: new Secret(vault.rootToken) });
    proxy.heal();
    const address = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const;
    await until('it is refused', async () => (await failureOf(store.read(address))) === 'denied');
    expect(store.health().status).toBe('degraded');
  });

  test('a wrong secret id is denied, degrades the store and does not keep the Manager from starting', async () => {
    const store = await open({ ...login, secretId: randomUUID() });
    const address = { tenantId: 'acme', collection: 'services', serviceId: randomUUID() } as const;
    expect(await failureOf(store.read(address))).toBe('denied');
    await until('it is seen', () => store.health().reason === 'permission denied');
  });

  test('a token is renewed before it ends, and where it cannot be, another takes its place', async () => {
    for (const role of [{ token_period: '2s' }, { token_period: '0s', token_ttl: '2s', token_max_ttl: '3s' }]) {
      await asOperator(vault, 'POST', `auth/${mount()}/role/${names().manager}`, role);
      const before = proxy.seen.length;
      const store = await open(login);
      await useOnce(store);
      const seen = (path: string) => proxy.seen.slice(before).filter((request) => request.path === path).length;
      await until(
        'it was renewed or replaced',
        () => seen('/v1/auth/token/renew-self') + seen(`/v1/auth/${mount()}/login`) > 3,
      );
      await asOperator(vault, 'POST', `sys/leases/revoke-prefix/auth/${vault.plan.mounts.tenants}/login`, {});
      await useOnce(store);
      await store.close();
    }
    await asOperator(vault, 'POST', `auth/${mount()}/role/${names().manager}`, {
      token_period: '20m',
      token_ttl: 0,
      token_max_ttl: 0,
    });
  });

  test("the Manager's own token reads no secret, writes no policy and gives no role another policy", async () => {
    const answer = await asOperator(vault, 'POST', `auth/${mount()}/login`, {
      role_id: login.roleId,
      secret_id: login.secretId,
    });
    const manager = { address: vault.address, rootToken: answer.auth.client_token as string };
    const { secrets, tenants, databases } = vault.plan.mounts;
    const may = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: Record<string, unknown>) =>
      asOperator(manager, method, path, body).then(
        () => 'may',
        (error: { failure: string }) => error.failure,
      );
    const evil = { policy: 'path "*" { capabilities = ["sudo", "read"] }' };
    expect(await may('GET', `${secrets}/data/acme/services/${randomUUID()}`)).toBe('denied');
    expect(await may('GET', `${databases}/creds/acme.${randomUUID()}`)).toBe('denied');
    expect(await may('POST', `sys/policies/acl/${names().tenant}`, evil)).toBe('denied');
    expect(await may('POST', `sys/policies/acl/${names().tenant}-acme`, evil)).toBe('denied');
    expect(await may('POST', `auth/${tenants}/role/evil`, { token_policies: names().manager })).toBe('denied');
    expect(await may('POST', `auth/${tenants}/role/evil`, { policies: names().manager })).toBe('denied');
    expect(await may('POST', `auth/${tenants}/role/evil`, { token_policies: `${names().tenant},root` })).toBe('denied');
    expect(await may('POST', `auth/${tenants}/role/acme/policies`, { token_policies: names().manager })).toBe('denied');
    expect(await may('POST', `auth/${tenants}/role/acme/secret-id`, {})).toBe('denied');
    expect(await may('POST', `auth/${mount()}/role/${names().manager}/secret-id`, {})).toBe('denied');
    expect(await may('POST', 'auth/token/create', {})).toBe('denied');
    expect(await may('GET', 'auth/token/lookup-self')).toBe('may');
  });

  test.each(['templated', 'own'])(
    "a tenant's token (%s policy) opens what is of that tenant and nothing of another",
    async (kind) => {
      const [mine, other] = kind === 'own' ? ['oak', 'oak-2'] : ['elm', 'elm-2'];
      if (kind === 'own') for (const id of [mine, other]) await provisionTenant(operator(), vault.plan.mounts, id);
      const store = await open(login);
      for (const id of [mine, other]) await useOnce(store, id);
      const { secrets, tenants, databases } = vault.plan.mounts;
      const role = `auth/${tenants}/role/${mine}`;
      const { data } = await asOperator(vault, 'GET', `${role}/role-id`);
      const made = await asOperator(vault, 'POST', `${role}/secret-id`, {});
      const answer = await asOperator(vault, 'POST', `auth/${tenants}/login`, {
        role_id: data.role_id,
        secret_id: made.data.secret_id,
      });
      expect(answer.auth.policies).toEqual([`${names().tenant}${kind === 'own' ? '-oak' : ''}`]);
      const tenant = { address: vault.address, rootToken: answer.auth.client_token as string };
      const may = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: Record<string, unknown>) =>
        asOperator(tenant, method, path, body).then(
          () => 'may',
          (error: { failure: string }) => (error.failure === 'denied' ? 'may not' : 'may'),
        );
      const id = randomUUID();
      const lease = (whose: string) => `${databases}/creds/${whose}.${id}/AbCdEf`;
      const reaches = (whose: string) => [
        () => may('POST', `${secrets}/data/${whose}/services/${id}`, { data: {} }),
        () => may('GET', `${secrets}/data/${whose}/services/${id}`),
        () => may('GET', `${secrets}/metadata/${whose}/services/${id}`),
        () => may('POST', `${secrets}/destroy/${whose}/services/${id}`, { versions: [1] }),
        () => may('DELETE', `${secrets}/metadata/${whose}/services/${id}`),
        () => may('DELETE', `${databases}/config/${whose}.${id}`),
        () => may('GET', `${databases}/creds/${whose}.${id}`),
        () => may('POST', `sys/leases/revoke/${lease(whose)}`, {}),
        () => may('POST', `sys/leases/revoke-prefix/${databases}/creds/${whose}.${id}`, {}),
      ];
      const tried = async (whose: string) => new Set(await Promise.all(reaches(whose).map((reach) => reach())));
      expect(await tried(mine)).toEqual(new Set(['may']));
      for (const whose of [other, `${mine}x`, 'acme']) expect(await tried(whose)).toEqual(new Set(['may not']));
      // A lease id in the body would go before the one in the path.
      expect(await may('POST', `sys/leases/revoke/${lease(mine)}`, { lease_id: lease(other) })).toBe('may not');
      expect(await may('POST', 'sys/leases/revoke', { lease_id: lease(mine) })).toBe('may not');
      expect(await may('POST', `${databases}/config/${mine}.${id}`, { plugin_name: 'mysql-database-plugin' })).toBe(
        'may not',
      );
      expect(await may('POST', `auth/${tenants}/role/${mine}/secret-id`, {})).toBe('may not');
      expect(await may('GET', `${secrets}/config`)).toBe('may not');
    },
  );

  test('where the Manager may not make tenants, one without a role is denied until an operator provisions it', async () => {
    const strict = { makesTenants: false };
    await provision(strict);
    expect(managerPolicy(vault.plan.mounts, vault.plan.transit, strict)).not.toContain('role/+"');
    const store = await open(login);
    const error = (await store.ensureTenant('later').catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toBe('the role of tenant later is not there, and the Manager may not make it: docs/vault.md');
    await provisionTenant(operator(), vault.plan.mounts, 'later');
    await store.ensureTenant('later');
    await useOnce(store, 'later');
    await provision();
  });

  function wrappedLogin(wrapped: string): VaultLogin {
    return { method: 'approle', mount: mount(), roleId: login.roleId, wrappedSecretId: new Secret(wrapped) };
  }
});

/** Shaped as that of a pod; Vault asks the review whether it is one. */
function serviceAccountToken(name: string): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: 'https://kubernetes.default.svc',
    sub: 'system:serviceaccount:auth:authsec',
    aud: ['vault'],
    iat: now,
    nbf: now - 10,
    exp: now + 3_600,
    jti: name,
    'kubernetes.io': { namespace: 'auth', serviceaccount: { name: 'authsec', uid: 'u' } },
  };
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`;
}

async function listen(answer: (body: unknown) => unknown): Promise<{ address: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      response.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer(JSON.parse(text))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
