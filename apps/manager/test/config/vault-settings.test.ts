import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, loadConfig } from '../../src/config/load-config.js';

const base = {
  AUTHSEC_URL: 'https://auth.example.com',
  AUTHSEC_DATABASE_URL: 'postgresql://u:p@db.example.com/authsec',
  AUTHSEC_SEALING_KEYS: `k1:${Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64')}`,
  AUTHSEC_COOKIE_KEYS: 'a'.repeat(32),
};
const vault = {
  VAULT_ADDR: 'https://vault.example.com:8200/',
  AUTHSEC_VAULT_ROLE_ID: 'role',
  AUTHSEC_VAULT_SECRET_ID: 'canary-secret-id',
};
const authority = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const files = (path: string): string => {
  if (path === '/ca.pem') return authority;
  throw new Error('no such file');
};
const load = (more: Record<string, string>): Config => loadConfig({ ...base, ...more }, files);
const problemsOf = (more: Record<string, string>): readonly string[] => {
  try {
    load(more);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

describe('the settings of Vault', () => {
  test('without VAULT_ADDR there is none, whatever a shell says beside it', () => {
    expect(load({ VAULT_TOKEN: 'x', VAULT_NAMESPACE: 'y', VAULT_CACERT: '/none' }).vault).toBeUndefined();
  });

  test('AppRole is the default, and the mounts have names that follow from one', () => {
    const { vault: settings } = load({ ...vault, VAULT_NAMESPACE: 'team/a', VAULT_CACERT: '/ca.pem' });
    expect(settings).toMatchObject({
      address: 'https://vault.example.com:8200',
      namespace: 'team/a',
      certificateAuthority: authority,
      login: { method: 'approle', mount: 'approle', roleId: 'role', wrappedSecretId: undefined },
      mounts: { secrets: 'authsec', databases: 'authsec-database', tenants: 'authsec-tenants' },
      transit: { mount: 'authsec-transit', key: 'sealing-keys' },
      dangerouslyAllowRootToken: false,
    });
    expect(inspect(settings, { depth: null })).not.toContain('canary');
    expect(load({ ...vault, AUTHSEC_VAULT_MOUNT: 'kv/a', AUTHSEC_VAULT_DATABASE_MOUNT: 'db' }).vault?.mounts).toEqual({
      secrets: 'kv/a',
      databases: 'db',
      tenants: 'kv/a-tenants',
    });
  });

  test('Kubernetes and a token are the other ways', () => {
    const { VAULT_ADDR } = vault;
    const kubernetes = { AUTHSEC_VAULT_AUTH: 'kubernetes', AUTHSEC_VAULT_KUBERNETES_ROLE: 'r' };
    expect(load({ VAULT_ADDR, ...kubernetes, AUTHSEC_VAULT_AUTH_MOUNT: 'k8s/eu' }).vault?.login).toEqual({
      method: 'kubernetes',
      mount: 'k8s/eu',
      role: 'r',
      tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    });
    const { vault: settings } = load({ VAULT_ADDR, AUTHSEC_VAULT_AUTH: 'token', VAULT_TOKEN: 'canary' });
    expect(settings?.login).toMatchObject({ method: 'token' });
    expect(inspect(settings, { depth: null })).not.toContain('canary');
  });

  test('all that does not fit together is told at once, and never with a value', () => {
    const problems = problemsOf({
      VAULT_ADDR: 'http://vault.example.com',
      VAULT_CACERT: '/none',
      AUTHSEC_VAULT_SECRET_ID: 'canary',
      AUTHSEC_VAULT_WRAPPED_SECRET_ID: 'canary',
      AUTHSEC_VAULT_KUBERNETES_ROLE: 'canary',
      AUTHSEC_VAULT_MOUNT: '../canary',
    });
    expect(problems.map((problem) => String(problem.split(':')[0]))).toEqual([
      'AUTHSEC_VAULT_MOUNT',
      'VAULT_ADDR',
      'AUTHSEC_VAULT_ROLE_ID',
      'AUTHSEC_VAULT_SECRET_ID',
      'AUTHSEC_VAULT_KUBERNETES_ROLE',
      'VAULT_CACERT',
    ]);
    expect(problems.join('\n')).not.toContain('canary');
  });

  test.each([
    ['no secret id', { ...vault, AUTHSEC_VAULT_SECRET_ID: '' }, 'AUTHSEC_VAULT_SECRET_ID'],
    ['no role', { VAULT_ADDR: vault.VAULT_ADDR, AUTHSEC_VAULT_AUTH: 'kubernetes' }, 'AUTHSEC_VAULT_KUBERNETES_ROLE'],
    ['no token', { VAULT_ADDR: vault.VAULT_ADDR, AUTHSEC_VAULT_AUTH: 'token' }, 'VAULT_TOKEN'],
    ['another way', { ...vault, AUTHSEC_VAULT_AUTH: 'ldap' }, 'AUTHSEC_VAULT_AUTH'],
    ['a login without an address', { AUTHSEC_VAULT_ROLE_ID: 'r' }, 'VAULT_ADDR'],
    [
      'wrapped sealing keys without an address',
      { AUTHSEC_SEALING_KEYS: `k1:vault:v1:${'A'.repeat(40)}` },
      'VAULT_ADDR',
    ],
    ['credentials in the address', { ...vault, VAULT_ADDR: 'https://u:p@vault.example.com' }, 'VAULT_ADDR'],
    ['a mount with a slash at its end', { ...vault, AUTHSEC_VAULT_MOUNT: 'kv/' }, 'AUTHSEC_VAULT_MOUNT'],
    ['a mount that climbs', { ...vault, AUTHSEC_VAULT_DATABASE_MOUNT: 'a/../b' }, 'AUTHSEC_VAULT_DATABASE_MOUNT'],
    ['a transit key without a mount', { ...vault, AUTHSEC_VAULT_TRANSIT_KEY: 'key' }, 'AUTHSEC_VAULT_TRANSIT_KEY'],
    ['a namespace with a newline', { ...vault, VAULT_NAMESPACE: 'a\nb' }, 'VAULT_NAMESPACE'],
  ])('%s is refused', (_name, env, variable) => {
    expect(problemsOf(env).map((problem) => problem.split(':')[0])).toContain(variable);
  });

  test.each(['http://127.0.0.1:8200', 'http://localhost:8200', 'http://[::1]:8200'])(
    '%s leads to this machine',
    (VAULT_ADDR) => {
      expect(problemsOf({ ...vault, VAULT_ADDR })).toEqual([]);
    },
  );

  test.each(['http://10.0.0.1', 'http://localhost.example.com', 'http://127.0.0.1.example.com'])(
    '%s does not, and needs the loud switch',
    (VAULT_ADDR) => {
      expect(problemsOf({ ...vault, VAULT_ADDR })).toEqual([expect.stringMatching(/^VAULT_ADDR: must be https/)]);
      expect(problemsOf({ ...vault, VAULT_ADDR, AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1' })).toEqual([]);
    },
  );

  test('sealing keys that Vault wrapped are taken as they are, beside plain ones', () => {
    const wrapped = `vault:v12:${'Ab+/'.repeat(20)}==`;
    const { sealingKeys } = load({ ...vault, AUTHSEC_SEALING_KEYS: `k2:${wrapped},${base.AUTHSEC_SEALING_KEYS}` });
    expect(sealingKeys.map(({ id, key }) => [id, key.reveal().slice(0, 10)])).toEqual([
      ['k2', 'vault:v12:'],
      ['k1', 'AAECAwQFBg'],
    ]);
  });
});
