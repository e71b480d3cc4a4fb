import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly pull_policy?: string;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly networks?: unknown;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { loadConfig } = (await import(join(root, 'apps/manager/dist/config/load-config.js'))) as {
  loadConfig(env: Record<string, string>, readFile: (path: string) => string): unknown;
};

const fill = (text: string) => text.replaceAll(/\$\{(\w+)(?::[?-]([^}]*))?\}/g, (_all, name: string) => filled[name]!);
const filled: Record<string, string> = {
  POSTGRES_PASSWORD: 'x'.repeat(24),
  AUTHSEC_SEALING_KEYS: `k1:${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`,
  AUTHSEC_COOKIE_KEYS: '0123456789abcdef0123456789abcdef',
  VAULT_TOKEN: 'development-only',
};
/** What the jobs before a Manager leave for it. */
const secrets: Record<string, string> = {
  '/secrets/database-url': 'postgresql://authsec:x@postgres:5432/authsec',
  '/secrets/sealing-keys': filled['AUTHSEC_SEALING_KEYS']!,
  '/secrets/cookie-keys': filled['AUTHSEC_COOKIE_KEYS']!,
  '/secrets/vault-secret-id': 'secret',
  '/certs/ca.pem': '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
};

describe.each(['docker/compose.yml', 'docker/compose.dev.yml'])('%s', (path) => {
  const compose = parse(read(path), { merge: true }) as Compose;
  const services = Object.entries(compose.services);

  test('every image is pinned by digest, or built from a Dockerfile that is there', () => {
    const built = new Set(services.flatMap(([, { image, build }]) => (build ? [image] : [])));
    for (const [, { image, build, pull_policy }] of services) {
      if (build) expect(existsSync(join(root, 'docker', build.context, build.dockerfile))).toBe(true);
      // Whoever has such a name in a registry is not us.
      if (built.has(image)) expect(pull_policy).toBe(build ? 'build' : 'never');
      else expect(image).toMatch(/:[^@]+@sha256:[0-9a-f]{64}$/);
    }
  });

  test('no image is built twice: at the same time and under one name, one of the builds fails', () => {
    const built = services.flatMap(([, { image, build }]) => (build ? [image] : []));
    expect(built.sort()).toEqual(['authsec-demo-mcp', 'authsec-manager']);
  });

  test('waits only for what there is, and mounts only what is there', () => {
    for (const [, { depends_on = {}, volumes = [] }] of services) {
      for (const name of Object.keys(depends_on)) expect(Object.keys(compose.services)).toContain(name);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(join(root, 'docker', source))).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  test('the settings of every Manager are valid', () => {
    const managers = services.filter(([, { image }]) => image === 'authsec-manager');
    expect(managers.length).toBeGreaterThan(1);
    for (const [, { environment = {} }] of managers) {
      const env = Object.entries(environment).map(([name, value]) => [name, fill(value)]);
      expect(() => loadConfig(Object.fromEntries(env), (file) => secrets[file] ?? String(file))).not.toThrow();
    }
  });

  test('listens on this machine only', () => {
    for (const [, { ports = [] }] of services) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('docker/compose.yml', () => {
  const { services } = parse(read('docker/compose.yml'), { merge: true }) as Compose;

  test('no secret is in it', () => {
    for (const [, { environment = {} }] of Object.entries(services)) {
      const named = Object.keys(environment).filter((name) => /PASSWORD|KEYS|SECRET|TOKEN|DATABASE_URL/.test(name));
      expect(named.filter((name) => !name.endsWith('_FILE'))).toEqual([]);
    }
  });

  test('what faces others has no privilege: a user by number, a read-only root, no capability to gain', () => {
    for (const name of ['manager-1', 'manager-2', 'proxy', 'demo', 'openbao', 'migrate', 'bootstrap']) {
      expect(services[name]).toMatchObject({
        user: '65532:65532',
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  test('nobody but its owner is given a password of PostgreSQL, what opens OpenBao, or a key of TLS', () => {
    const given = (volume: string) =>
      Object.keys(services).filter((name) => services[name]?.volumes?.some((one) => one.startsWith(`${volume}:`)));
    expect(given('postgres-keys')).toEqual(['prepare', 'postgres']);
    expect(given('openbao-keys')).toEqual(['prepare', 'openbao', 'openbao-setup']);
    expect(given('proxy-keys')).toEqual(['prepare', 'proxy']);
    expect(given('secrets').filter((name) => !['prepare', 'openbao-setup'].includes(name))).toEqual(
      Object.keys(services).filter((name) => services[name]?.image === 'authsec-manager'),
    );
  });

  test('only the proxy is reached from outside, and it asks both Managers whether they are ready', () => {
    expect(Object.keys(services).filter((name) => services[name]?.ports)).toEqual(['proxy']);
    const caddyfile = read('docker/Caddyfile');
    expect(caddyfile).toMatch(/reverse_proxy manager-1:4700 manager-2:4700/);
    expect(caddyfile).toContain('health_uri /readyz');
  });
});

test('docker/vault/set-up.sh is what docs/vault.md says', () => {
  const section = read('docs/vault.md').split('## Set up')[1]?.split('What the Manager is given:')[0] ?? '';
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => String(match[1]));
  expect(blocks.length).toBeGreaterThan(2);
  expect(read('docker/vault/set-up.sh').split('\n').slice(2).join('\n')).toBe(blocks.join('\n'));
});
