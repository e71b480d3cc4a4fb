import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { loadConfig } from '../../src/config/load-config.js';
import {
  type ManagerLogin,
  provisionVault,
  wrapManagerSecretId,
} from '../../src/integrations/vault/provision-vault.js';
import { connectVault } from '../../src/integrations/vault/vault-client.js';
import { unwrapSealingKeys, wrapSealingKey } from '../../src/integrations/vault/vault-sealing-keys.js';
import { createTestManager, type TestManager } from '../support/test-manager.js';
import { until } from '../support/until.js';
import { failureOf } from './secret-store-contract.js';
import { asOperator, describeVault, openVault, testOwn, type VaultUnderTest } from './vault-under-test.js';

describeVault('a Manager whose keys and secrets are in a real Vault', () => {
  const key = randomBytes(32).toString('base64');
  let vault: VaultUnderTest;
  let login: ManagerLogin;
  let wrapped: string;

  beforeAll(async () => {
    vault = await openVault();
    login = await provisionVault({ ...vault, token: vault.rootToken }, vault.plan);
    wrapped = await wrap('k1', key);
  });
  afterAll(() => vault?.stop());

  const wrap = async (id: string, base64: string): Promise<string> => {
    const connection = connectVault({ address: vault.address, requestTimeoutMs: 10_000 });
    try {
      return await wrapSealingKey(connection.as(vault.rootToken), vault.plan.transit, id, base64);
    } finally {
      await connection.close();
    }
  };
  const settings = (keys = `k1:${wrapped}`): Record<string, string> => ({
    AUTHSEC_SEALING_KEYS: keys,
    VAULT_ADDR: vault.address,
    AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1',
    AUTHSEC_VAULT_MOUNT: vault.plan.mounts.secrets,
    AUTHSEC_VAULT_AUTH_MOUNT: vault.plan.managerAuthMount ?? 'approle',
    AUTHSEC_VAULT_ROLE_ID: login.roleId,
    AUTHSEC_VAULT_SECRET_ID: login.secretId,
  });
  const load = (more: Record<string, string> = {}) =>
    loadConfig({
      AUTHSEC_URL: 'https://authsec.test',
      AUTHSEC_DATABASE_URL: 'postgresql://u@127.0.0.1/x',
      AUTHSEC_COOKIE_KEYS: 'a'.repeat(32),
      ...settings(),
      ...more,
    });

  test('a wrapped sealing key is opened, a plain one beside it stays', async () => {
    const plain = randomBytes(32).toString('base64');
    const { sealingKeys } = await unwrapSealingKeys(load({ AUTHSEC_SEALING_KEYS: `k1:${wrapped},k0:${plain}` }));
    expect(sealingKeys.map(({ id, key: opened }) => [id, opened.reveal()])).toEqual([
      ['k1', key],
      ['k0', plain],
    ]);
  });

  test('under another id it does not open', async () => {
    await expect(unwrapSealingKeys(load({ AUTHSEC_SEALING_KEYS: `k2:${wrapped}` }))).rejects.toThrow(
      /AUTHSEC_SEALING_KEYS: opening sealing key k2: Vault answered 400/,
    );
  });

  test('what Vault opens and is no key is refused', async () => {
    const short = await wrap('k1', randomBytes(16).toString('base64'));
    await expect(unwrapSealingKeys(load({ AUTHSEC_SEALING_KEYS: `k1:${short}` }))).rejects.toThrow(
      /not a key of 32 bytes/,
    );
  });

  test('a wrapped secret id, which opens once, serves the keys and the secrets both', async () => {
    const wrappedId = await wrapManagerSecretId({ ...vault, token: vault.rootToken }, vault.plan);
    const more = { AUTHSEC_VAULT_SECRET_ID: '', AUTHSEC_VAULT_WRAPPED_SECRET_ID: wrappedId };
    const config = await unwrapSealingKeys(load(more));
    expect(config.vault?.login).toMatchObject({ wrappedSecretId: undefined, secretId: expect.anything() });
    await expect(unwrapSealingKeys(load(more))).rejects.toThrow(/was used before/);
  });

  test('without wrapped keys Vault is not asked', async () => {
    const config = load({ AUTHSEC_SEALING_KEYS: `k1:${key}`, VAULT_ADDR: 'http://127.0.0.1:1' });
    expect(await unwrapSealingKeys(config)).toBe(config);
  });

  testOwn('a Manager starts with them, keeps secrets there, and signs people in when Vault is gone', async () => {
    const own = await openVault();
    const ownLogin = await provisionVault({ ...own, token: own.rootToken }, own.plan);
    const connection = connectVault({ address: own.address, requestTimeoutMs: 10_000 });
    const ownKey = await wrapSealingKey(connection.as(own.rootToken), own.plan.transit, 'k1', key);
    await connection.close();
    const manager: TestManager = await createTestManager(
      {},
      {
        ...settings(`k1:${ownKey}`),
        VAULT_ADDR: own.address,
        AUTHSEC_VAULT_MOUNT: own.plan.mounts.secrets,
        AUTHSEC_VAULT_AUTH_MOUNT: own.plan.managerAuthMount ?? 'approle',
        AUTHSEC_VAULT_ROLE_ID: ownLogin.roleId,
        AUTHSEC_VAULT_SECRET_ID: ownLogin.secretId,
      },
    );
    try {
      const { secrets } = manager.container;
      expect(secrets.kind).toBe('vault');
      const tenant = await manager.createTenant();
      const address = { tenantId: tenant.id, collection: 'services', serviceId: randomUUID() } as const;
      await secrets.write(address, { token: 'canary' }, { expectedVersion: 0 });
      const { mounts } = own.plan;
      const stored = await asOperator(own, 'GET', `${mounts.secrets}/data/${tenant.id}/services/${address.serviceId}`);
      expect(stored.data.data.value).toEqual({ token: 'canary' });
      await until('it is seen to be well', () => secrets.health().status === 'ok');
      const ready = () => request(manager.app).get('/readyz');
      expect((await ready()).body).toEqual({ status: 'ready', dependencies: { database: 'ok', secret_store: 'ok' } });

      await own.stop();
      expect(await failureOf(secrets.read(address))).toBe('unavailable');
      await until('it is seen to be away', () => secrets.health().status === 'degraded');
      const { status, body } = await ready();
      expect([status, body]).toEqual([
        200,
        {
          status: 'ready',
          dependencies: { database: 'ok', secret_store: 'degraded' },
          reasons: { secret_store: expect.stringMatching(/^(unreachable|sealed)$/) },
        },
      ]);
      const keys = await request(manager.app).get(`/t/${tenant.id}/jwks`);
      expect([keys.status, keys.body.keys.length]).toEqual([200, 1]);
      const another = await manager.container.loadPrivateKeys(tenant.id, tenant.db);
      expect(another).toHaveLength(1);
    } finally {
      await manager.close();
      await own.stop();
    }
  });
});
