import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { findOpenBao, type OpenBaoServer } from '@authsec/config/openbao';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.js';
import { provisionVault, vaultPlan } from '../../src/integrations/vault/provision-vault.js';
import { unwrapSealingKeys } from '../../src/integrations/vault/vault-sealing-keys.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import { tenantPolicy } from '../../src/integrations/vault/vault-policies.js';
import { asOperator, describeOpenBao, openBao, silent } from './vault-under-test.js';

const page = readFileSync(new URL('../../../../docs/vault.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
const [removal = '', ...commands] = blocks.toReversed();
commands.reverse();
const made = ['ROLE_ID', 'WRAPPED_SECRET_ID', 'SECRET_ID', 'SEALING_KEY', 'accessor'];

describeOpenBao('docs/vault.md', () => {
  let server: OpenBaoServer;
  let values: Record<string, string>;

  beforeAll(async () => {
    server = await openBao('dev');
    const script = [...commands, ...made.map((name) => `printf '%s=%s\\n' ${name} "$${name}"`)].join('\n');
    const lines = (await run(script)).split('\n').map((line) => /^(\w+)=(.*)$/.exec(line) ?? []);
    values = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
  });
  afterAll(() => server?.stop());

  const run = async (script: string): Promise<string> => {
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      env: {
        ...process.env,
        PATH: `${dirname(findOpenBao() ?? '')}:${process.env['PATH']}`,
        BAO_ADDR: server.address,
        BAO_TOKEN: server.rootToken,
      },
    });
    return stdout;
  };
  const load = (more: Record<string, string>) =>
    loadConfig({
      AUTHSEC_URL: 'https://authsec.test',
      AUTHSEC_DATABASE_URL: 'postgresql://u@127.0.0.1/x',
      AUTHSEC_COOKIE_KEYS: 'a'.repeat(32),
      AUTHSEC_SEALING_KEYS: values['SEALING_KEY'],
      VAULT_ADDR: server.address,
      AUTHSEC_VAULT_ROLE_ID: values['ROLE_ID'],
      ...more,
    });

  test.each(['AUTHSEC_VAULT_WRAPPED_SECRET_ID', 'AUTHSEC_VAULT_SECRET_ID'])(
    'after its commands a Manager with %s opens its sealing key and keeps secrets, of tenants new and provisioned',
    async (variable) => {
      const config = await unwrapSealingKeys(
        load({ [variable]: values[variable.replace('AUTHSEC_VAULT_', '')] ?? '' }),
      );
      expect(config.sealingKeys[0]?.key.reveal()).toMatch(/^[A-Za-z0-9+/]{43}=$/);
      const store = await createVaultSecretStore(config.vault!, { logger: silent });
      for (const tenantId of ['acme', 'newcomer']) {
        const address = { tenantId, collection: 'services', serviceId: randomUUID() } as const;
        await store.write(address, { token: 'x' }, { expectedVersion: 0 });
        expect((await store.read(address)).value).toEqual({ token: 'x' });
      }
      await store.close();
    },
  );

  test('its policies and roles are those that the generator makes', async () => {
    const plan = vaultPlan();
    const read = async (): Promise<unknown[]> => {
      const policies = ['authsec-tenant', 'authsec-manager'].map(async (name) => {
        const { data } = await asOperator(server, 'GET', `sys/policies/acl/${name}`);
        return (data.policy as string).trim();
      });
      const { data: role } = await asOperator(server, 'GET', 'auth/approle/role/authsec-manager');
      return [...(await Promise.all(policies)), role];
    };
    const documented = await read();
    await provisionVault({ address: server.address, token: server.rootToken }, plan);
    expect(documented).toEqual(await read());
    const { data } = await asOperator(server, 'GET', 'sys/policies/acl/authsec-tenant-acme');
    expect((data.policy as string).trim()).toBe(tenantPolicy('acme', plan.mounts).trim());
  });

  test('its last commands remove all of one tenant and nothing of another', async () => {
    const { vault } = load({ AUTHSEC_VAULT_SECRET_ID: values['SECRET_ID'] ?? '' });
    const store = await createVaultSecretStore(vault!, { logger: silent });
    const addresses = ['gone', 'gone-not'].flatMap((tenantId) => {
      const serviceId = randomUUID();
      const connection = { tenantId, collection: 'connections', serviceId, ownerId: randomUUID() } as const;
      return [{ tenantId, collection: 'services', serviceId } as const, connection];
    });
    for (const address of addresses) await store.write(address, { token: 'x' }, { expectedVersion: 0 });
    const account = {
      host: '127.0.0.1',
      port: 1,
      database: 'x',
      username: 'u',
      password: 'p',
      tls: 'disable',
    } as const;
    for (const address of addresses.filter(({ collection }) => collection === 'services')) {
      const more = { creationStatements: ['SELECT 1'], revocationStatements: [], ttlSeconds: 60 };
      await store.databases!.configure(address, { ...account, ...more });
    }
    await run(removal);
    const keys = async (path: string): Promise<string[]> => {
      return JSON.parse(await run(`bao list -format=json ${path}`)) as string[];
    };
    expect(await keys('authsec/metadata')).not.toContain('gone/');
    expect(await keys('authsec/metadata')).toContain('gone-not/');
    expect(await keys('auth/authsec-tenants/role')).toEqual(expect.not.arrayContaining(['gone']));
    expect((await keys('authsec-database/roles')).map((name) => name.split('.')[0])).toEqual(['gone-not']);
    expect((await store.read(addresses[2]!)).value).toEqual({ token: 'x' });
    await store.close();
  });
});
