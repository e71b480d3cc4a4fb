import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { type Config, ConfigError, loadConfig } from '../../src/config/load-config.js';
import { environmentSchema, secretVariables } from '../../src/config/schema.js';
import { Secret } from '../../src/config/secret.js';

const keyOf = (seed: number) => Buffer.from(Array.from({ length: 32 }, (_, index) => seed + index)).toString('base64');
const key = keyOf(7);
const good = {
  AUTHSEC_URL: 'https://auth.example.com/',
  AUTHSEC_DATABASE_URL: 'postgresql://u:hunter2-password@db.example.com/authsec',
  AUTHSEC_SEALING_KEYS: `k2:${key},k1:${keyOf(8)}`,
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
      historyDays: undefined,
      dangerouslyAllowHttp: false,
      dangerouslyAllowPrivateAddresses: false,
      stopOnStdinEnd: false,
    });
    expect(config.sealingKeys.map((one) => one.id)).toEqual(['k2', 'k1']);
    expect(config.sealingKeys[0]?.key.reveal()).toBe(key);
    expect(config.cookieKeys.map((one) => one.reveal())).toEqual(['a'.repeat(32), 'b'.repeat(40)]);
    expect(config.tenantDatabaseUrl.reveal()).toBe(good.AUTHSEC_DATABASE_URL);
  });

  test.each(Object.keys(environmentSchema.shape))('says of a wrong %s what it must be, in words of ours', (name) => {
    for (const problem of problemsOf({ ...good, [name]: '\u0000 no value of anything' })) {
      expect(problem).not.toMatch(/Invalid|Too (small|big)|expected|received/);
    }
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

  test.each([
    ['the sealing key of old examples', { AUTHSEC_SEALING_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` }],
    ['a sealing key of one byte', { AUTHSEC_SEALING_KEYS: `k2:${key},k1:${Buffer.alloc(32, 9).toString('base64')}` }],
    ['the cookie key of old examples', { AUTHSEC_COOKIE_KEYS: 'change-me-change-me-change-me-change-me' }],
  ])('refuses %s, which is no secret', (_name, change) => {
    expect(problemsOf({ ...good, ...change })).toEqual([expect.stringMatching(/is an example and no secret/)]);
  });

  test('is frozen in every part', () => {
    const config = loadConfig(good) as { -readonly [Key in keyof Config]: Config[Key] };
    expect(() => (config.port = 1)).toThrow(TypeError);
    expect(() => (config.cookieKeys as Secret[]).push(new Secret('x'))).toThrow(TypeError);
  });
});

describe('secrets in files', () => {
  const files: Record<string, string> = {
    '/run/secrets/database': `${good.AUTHSEC_DATABASE_URL}\n`,
    '/run/secrets/sealing': good.AUTHSEC_SEALING_KEYS,
    '/run/secrets/empty': '\n',
    '/run/secrets/wrong': 'hunter2-wrong\n',
  };
  const readFile = (path: string) => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return content;
  };
  const problems = (env: Record<string, string>) => {
    try {
      loadConfig(env, readFile);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };
  const { AUTHSEC_DATABASE_URL: _url, AUTHSEC_SEALING_KEYS: _keys, ...rest } = good;
  const fromFiles = {
    ...rest,
    AUTHSEC_DATABASE_URL_FILE: '/run/secrets/database',
    AUTHSEC_SEALING_KEYS_FILE: '/run/secrets/sealing',
  };

  test('are the same as in variables, the newline at the end dropped', () => {
    const config = loadConfig(fromFiles, readFile);
    expect(config).toEqual(loadConfig(good));
    expect(config.masterDatabaseUrl.reveal()).toBe(good.AUTHSEC_DATABASE_URL);
  });

  test('every secret can come from one, and a path is never taken for its content', () => {
    for (const name of secretVariables) {
      expect(problems({ ...good, [name]: '', [`${name}_FILE`]: '/nowhere' })).toEqual([
        `${name}_FILE: the file cannot be read (ENOENT)`,
      ]);
    }
  });

  test('what is wrong with them is told together with the rest, and without a value', () => {
    const found = problems({
      ...rest,
      AUTHSEC_DATABASE_URL_FILE: '/run/secrets/wrong',
      AUTHSEC_SEALING_KEYS_FILE: '/run/secrets/empty',
      AUTHSEC_TENANT_DATABASE_URL: good.AUTHSEC_DATABASE_URL,
      AUTHSEC_TENANT_DATABASE_URL_FILE: '/run/secrets/database',
      AUTHSEC_PORT_FILE: '/run/secrets/database',
      AUTHSEC_LOG_LEVEL: 'loud',
    });
    expect(found.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'AUTHSEC_DATABASE_URL',
      'AUTHSEC_LOG_LEVEL',
      'AUTHSEC_PORT_FILE',
      'AUTHSEC_SEALING_KEYS_FILE',
      'AUTHSEC_TENANT_DATABASE_URL_FILE',
    ]);
    expect(found.join()).not.toContain('hunter2');
  });

  test('a certificate without its key, and files that are neither, are faults', () => {
    const cert = { ...good, AUTHSEC_TLS_CERT_FILE: '/run/secrets/wrong' };
    expect(problems(cert)).toEqual([expect.stringMatching(/set both or neither/)]);
    expect(problems({ ...cert, AUTHSEC_TLS_KEY_FILE: '/nowhere' })).toEqual([expect.stringMatching(/ENOENT/)]);
    expect(problems({ ...cert, AUTHSEC_TLS_KEY_FILE: '/run/secrets/wrong' })).toEqual([
      expect.stringMatching(/no certificate and its key/),
    ]);
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
  expect(printed.join()).not.toMatch(/hunter2|BwgJCgsMDQ4|aaaaaaaa/);
  expect(printed[1]).toBe('{"secret":"[redacted]"}');
  expect(secret.reveal()).toBe('hunter2');
});

describe('what is written about the settings', () => {
  const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
  const variables = Object.keys(environmentSchema.shape).sort();

  test('docs/configuration.md has the variables of the schema and no others', () => {
    const section = read('docs/configuration.md').split('## The Manager')[1]?.split('\n## ')[0] ?? '';
    const documented = [...section.matchAll(/^\| `([A-Z]\w+)`/gm)].map((match) => String(match[1]));
    expect(documented.sort()).toEqual(variables);
  });

  test('every secret of the schema is documented as one, and nothing else', () => {
    const rows = [...read('docs/configuration.md').matchAll(/^\| `(\w+)` +\|[^|]+\| _Secret\._/gm)];
    expect(rows.map((match) => String(match[1])).sort()).toEqual([...secretVariables].sort());
  });

  test('.env.example has the variables of the schema and no others, and loads once its secrets are filled in', () => {
    const lines = [...read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z_]+)=(.*)$/gm)];
    expect(lines.map((match) => String(match[1])).sort()).toEqual(variables);
    const env = Object.fromEntries(lines.map((match) => [match[1], match[2]]));
    expect(problemsOf(env)).toEqual(['AUTHSEC_SEALING_KEYS: is required', 'AUTHSEC_COOKIE_KEYS: is required']);
    const filled = {
      ...env,
      AUTHSEC_SEALING_KEYS: good.AUTHSEC_SEALING_KEYS,
      AUTHSEC_COOKIE_KEYS: good.AUTHSEC_COOKIE_KEYS,
    };
    expect(problemsOf(filled)).toEqual([]);
    expect(loadConfig({ ...filled, AUTHSEC_TENANT_DATABASE_URL: '' })).toEqual(loadConfig(filled));
  });
});
