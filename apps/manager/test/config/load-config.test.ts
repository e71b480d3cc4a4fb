import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, loadConfig } from '../../src/config/load-config.js';
import { environmentSchema } from '../../src/config/schema.js';
import { Secret } from '../../src/config/secret.js';

const key = Buffer.alloc(32, 7).toString('base64');
const good = {
  AUTHSEC_URL: 'https://auth.example.com/',
  AUTHSEC_DATABASE_URL: 'postgresql://u:hunter2-password@db.example.com/authsec',
  AUTHSEC_SEALING_KEYS: `k2:${key},k1:${Buffer.alloc(32, 8).toString('base64')}`,
  AUTHSEC_COOKIE_KEYS: `${'a'.repeat(32)}, ${'b'.repeat(40)}`,
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('loadConfig', () => {
  test('reads what is set and has safe defaults for the rest', () => {
    const config = loadConfig(good);
    expect(config).toMatchObject({
      url: 'https://auth.example.com',
      host: '127.0.0.1',
      port: 4700,
      logLevel: 'info',
      trustedProxies: [],
      maxOpenTenants: 50,
      dangerouslyAllowHttp: false,
      dangerouslyAllowPrivateAddresses: false,
      stopOnStdinEnd: false,
    });
    expect(config.sealingKeys.map((one) => one.id)).toEqual(['k2', 'k1']);
    expect(config.sealingKeys[0]?.key.reveal()).toBe(key);
    expect(config.cookieKeys.map((one) => one.reveal())).toEqual(['a'.repeat(32), 'b'.repeat(40)]);
    expect(config.tenantDatabaseUrl.reveal()).toBe(good.AUTHSEC_DATABASE_URL);
  });

  test('reports all problems at once, each with its variable and never with a value', () => {
    const problems = problemsOf({
      AUTHSEC_URL: 'ftp://secret-host',
      AUTHSEC_DATABASE_URL: 'mysql://u:hunter2-password@x/y',
      AUTHSEC_SEALING_KEYS: 'k1:tooshort-secret',
      AUTHSEC_PORT: '70000',
      AUTHSEC_LOG_LEVEL: 'loud',
    });
    expect(problems.map((problem) => String(problem.split(':')[0])).sort()).toEqual([
      'AUTHSEC_COOKIE_KEYS',
      'AUTHSEC_DATABASE_URL',
      'AUTHSEC_LOG_LEVEL',
      'AUTHSEC_PORT',
      'AUTHSEC_SEALING_KEYS',
      'AUTHSEC_URL',
    ]);
    expect(problems.join()).not.toMatch(/hunter2|secret/);
    expect(problemsOf({})).toContain('AUTHSEC_URL: is required');
  });

  test.each<[string, Record<string, string>]>([
    ['plain http', { AUTHSEC_URL: 'http://auth.example.com' }],
    ['credentials in the URL', { AUTHSEC_URL: 'https://u:p@auth.example.com' }],
    ['a query in the URL', { AUTHSEC_URL: 'https://auth.example.com/?x=1' }],
    ['two sealing keys of one id', { AUTHSEC_SEALING_KEYS: `k:${key},k:${key}` }],
    ['a short cookie key', { AUTHSEC_COOKIE_KEYS: 'short' }],
    ['a proxy that is no address', { AUTHSEC_TRUSTED_PROXIES: '10.0.0.0/8, proxy.example.com' }],
    ['a subnet that is too long', { AUTHSEC_TRUSTED_PROXIES: '10.0.0.0/33' }],
    ['a switch that is neither on nor off', { AUTHSEC_DANGEROUSLY_ALLOW_HTTP: 'yes please' }],
  ])('refuses %s', (_name, change) => {
    expect(problemsOf({ ...good, ...change })).toHaveLength(1);
  });

  test('allows http only where the loud switch says so', () => {
    const env = { ...good, AUTHSEC_URL: 'http://127.0.0.1:4700', AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1' };
    expect(loadConfig(env).dangerouslyAllowHttp).toBe(true);
  });

  test('takes proxies as addresses and subnets', () => {
    const config = loadConfig({ ...good, AUTHSEC_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,fd00::/8' });
    expect(config.trustedProxies).toEqual(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
  });

  test('an empty variable counts as not set', () => {
    expect(loadConfig({ ...good, AUTHSEC_PORT: '', AUTHSEC_TENANT_DATABASE_URL: '' }).port).toBe(4700);
  });

  test('is frozen in every part', () => {
    const config = loadConfig(good) as { -readonly [Key in keyof Config]: Config[Key] };
    expect(() => (config.port = 1)).toThrow(TypeError);
    expect(() => (config.cookieKeys as Secret[]).push(new Secret('x'))).toThrow(TypeError);
  });
});

test('a Secret prints as [redacted] however it is printed', () => {
  const secret = new Secret('hunter2');
  const printed = [secret.toString(), JSON.stringify({ secret }), inspect({ secret }, { depth: 9, showHidden: true })];
  printed.push(
    JSON.stringify(loadConfig(good)),
    inspect(loadConfig(good), { depth: 9 }),
    String(Object.entries(secret)),
  );
  expect(printed.join()).not.toMatch(/hunter2|BwcHBwcHBwc|aaaaaaaa/);
  expect(printed[1]).toBe('{"secret":"[redacted]"}');
  expect(secret.reveal()).toBe('hunter2');
});

describe('what is written about the settings', () => {
  const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
  const variables = Object.keys(environmentSchema.shape).sort();

  test('docs/configuration.md has the variables of the schema and no others', () => {
    const section = read('docs/configuration.md').split('## The Manager')[1]?.split('\n## ')[0] ?? '';
    const documented = [...section.matchAll(/^\| `(AUTHSEC_\w+)`/gm)].map((match) => String(match[1]));
    expect(documented.sort()).toEqual(variables);
  });

  test('.env.example has the variables of the schema and no others, and loads', () => {
    const lines = [...read('.env.example').matchAll(/^(?:# )?(AUTHSEC_\w+)=(.*)$/gm)];
    expect(lines.map((match) => String(match[1])).sort()).toEqual(variables);
    const env = Object.fromEntries(lines.map((match) => [match[1], match[2]]));
    expect(problemsOf(env)).toEqual([]);
    expect(loadConfig({ ...env, AUTHSEC_TENANT_DATABASE_URL: '' })).toEqual(loadConfig(env));
  });
});
