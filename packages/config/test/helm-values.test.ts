import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { helm } from './helm/find-program.js';
import { chart, oneOf, podsOf, renderChart, root, runHelm, type Values } from './helm/render-chart.js';
import { everything, minimal } from './helm/values.js';

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly $ref?: string;
}

const suite = helm ? describe : describe.skip;
const read = (path: string) => readFileSync(join(chart, path), 'utf8');
const schema = JSON.parse(read('values.schema.json')) as Schema;
const defaults = parse(read('values.yaml')) as Values;

function complaintOf(values: Values): string {
  const { ok, complaint } = runHelm(['template', 'authsec', chart, '-f', '-'], JSON.stringify(values));
  return ok ? 'nothing' : complaint;
}

/** `path` as `vault.auth.method`. */
function changed(values: Values, path: string, value: unknown): Values {
  const [name = '', ...rest] = path.split('.');
  const inner = (values[name] ?? {}) as Values;
  return { ...values, [name]: rest.length === 0 ? value : changed(inner, rest.join('.'), value) };
}

const resolve = (one: Schema): Schema => (one.$ref ? schema.definitions![one.$ref.split('/').at(-1)!]! : one);

/** All objects of the schema that have names of their own, by path. */
function objectsOf(given: Schema, path = ''): [string, Schema][] {
  const one = resolve(given);
  const inner = Object.entries(one.properties ?? {}).flatMap(([name, child]) =>
    objectsOf(child, path ? `${path}.${name}` : name),
  );
  const items = one.items ? objectsOf(one.items, `${path}[]`) : [];
  return [...(one.properties ? [[path, one] as [string, Schema]] : []), ...inner, ...items];
}

describe('values.schema.json', () => {
  test('knows every value, and nothing that values.yaml does not have', () => {
    const compare = (given: Schema, value: unknown, path: string): void => {
      const { properties } = resolve(given);
      if (!properties || Object.keys((value ?? {}) as object).length === 0) return;
      // `global` is Helm's own; of the settings only those with a default are written out.
      const names = Object.keys(properties).filter((name) => name !== 'global' && path !== 'settings');
      if (path !== 'settings')
        expect({ path, names: Object.keys(value as object).sort() }).toEqual({ path, names: names.sort() });
      for (const name of names) compare(properties[name]!, (value as Values)[name], path ? `${path}.${name}` : name);
    };
    compare(schema, defaults, '');
  });

  test('takes no name that it does not know, at any depth', () => {
    const objects = objectsOf(schema);
    expect(objects.length).toBeGreaterThan(30);
    expect(
      objects.filter(([, { additionalProperties }]) => additionalProperties !== false).map(([path]) => path),
    ).toEqual([]);
  });
});

suite('helm refuses', () => {
  test.each([
    ['a name that there is not', 'replicas', 3],
    ['one written wrong', 'manager.replica', 3],
    ['one written wrong, far below', 'vault.auth.kubernetes.rolle', 'a'],
    ['a setting that there is not', 'settings.AUTHSEC_LOGLEVEL', 'info'],
    ['a setting that is a secret', 'settings.AUTHSEC_SEALING_KEYS', 'k1:abc'],
    ['a setting that the chart sets', 'settings.AUTHSEC_URL', 'https://other.example.com'],
    ['a setting for development', 'settings.AUTHSEC_DANGEROUSLY_ALLOW_HTTP', '1'],
    ['a secret in the place of a key', 'secrets.keys.databaseUrl', 'postgresql://authsec:pa@db/authsec'],
    [
      'sealing keys in the place of a key',
      'secrets.keys.sealingKeys',
      'k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
    ],
    ['a directory of the node', 'secrets.volume', { hostPath: { path: '/etc/authsec' } }],
    ['an address without TLS', 'url', 'http://auth.example.com'],
    ['an address with a path', 'url', 'https://example.com/auth'],
    ['an address that ends in a slash', 'url', 'https://auth.example.com/'],
    ['a Vault without TLS', 'vault.address', 'http://vault:8200'],
    ['a password in an address', 'vault.address', 'https://user:password@vault.example.com'],
    [
      'a password in the address of a collector',
      'settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'https://user:password@collector:4318/v1/traces',
    ],
    ['a proxy by name', 'trustedProxies', ['ingress-nginx']],
    ['a proxy that is everybody, by a word', 'trustedProxies', true],
    ['a tag that moves', 'image', { repository: 'a/b', tag: 'latest' }],
    ['a digest that is cut off', 'image.digest', 'sha256:0101'],
    ['a tag in the repository', 'image.repository', 'a/b:1'],
    ['a peer that is nobody in particular', 'networkPolicy.requestsFrom', [{}]],
    ['a rule that is everything', 'networkPolicy.extraEgress', [{}]],
    ['PostgreSQL without a port', 'networkPolicy.postgresql.ports', []],
    ['resources without limits', 'manager.resources', { requests: { cpu: '1' }, limits: null }],
    ['a way to log in to Vault that is for development', 'vault.auth.method', 'token'],
  ])('%s: %s', (_what, path, value) => {
    const complaint = complaintOf(changed(minimal, path, value));
    expect(complaint).toContain("values don't meet the specifications of the schema");
    // What was given is not repeated.
    expect(complaint).not.toMatch(/MDEyMzQ1|pa@db|user:password/);
  });

  test('to install without what has no default, and says all of it at once', () => {
    const complaint = complaintOf({});
    for (const fault of ['url:', 'image.repository:', 'image.digest:', 'secrets.existingSecret:', 'trustedProxies:']) {
      expect(complaint).toContain(`\n  ${fault} `);
    }
    expect(complaint).toContain('nothing secret is a value of this chart');
  });

  test.each<[string, Values]>([
    ['url', { url: '' }],
    ['image.digest', { image: { repository: 'a/b', digest: '', tag: '' } }],
    ['secrets.existingSecret', { secrets: {} }],
    ['secrets.volume', { secrets: { existingSecret: 'a', volume: { csi: { driver: 'a' } } } }],
    ['trustedProxies', { trustedProxies: null }],
    ['trustedProxies', { trustedProxies: [], ingress: { enabled: true, tlsSecret: 'a' } }],
    ['trustedProxies', { trustedProxies: ['10.0.0.0/8', '0.0.0.0/0'] }],
    ['trustedProxies', { trustedProxies: ['::/0'] }],
    ['autoscaling.maxReplicas', { autoscaling: { enabled: true, minReplicas: 7 } }],
    ['ingress.tlsSecret', { ingress: { enabled: true } }],
    ['bootstrap.email', { bootstrap: { enabled: true } }],
    ['serviceAccount.name', { serviceAccount: { create: false } }],
    ['vault.address', { vault: { enabled: true } }],
    ['vault.auth.approle.roleId', { vault: { enabled: true, address: 'https://vault', auth: { method: 'approle' } } }],
    ['certificates.existingConfigMap', { certificates: { trust: 'own.pem' } }],
    ['certificates.existingConfigMap', { vault: { enabled: true, address: 'https://vault', caFile: 'vault.pem' } }],
    ['metrics.enabled', { metrics: { enabled: false, serviceMonitor: { enabled: true } } }],
    ['demo.credentials.existingSecret', { demo: { ...(everything['demo'] as Values), credentials: { keys: ['a'] } } }],
    ['demo.host', { demo: { ...(everything['demo'] as Values), host: '' } }],
    ['demo.image.digest', { demo: { ...(everything['demo'] as Values), image: { repository: 'a' } } }],
    ['demo.ingress.tlsSecret', { demo: { ...(everything['demo'] as Values), ingress: { enabled: true } } }],
  ])('to install with a faulty %s, and names nothing else', (option, values) => {
    const complaint = complaintOf({ ...minimal, ...values });
    expect([...complaint.matchAll(/^ {2}([\w.]+): /gm)].map(([, name]) => name)).toEqual([option]);
  });
});

suite('docs', () => {
  const section = readFileSync(join(root, 'docs/deploy.md'), 'utf8').split('## Kubernetes')[1]!.split('\n## ')[0]!;

  test('docs/deploy.md has values that the chart takes', () => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(section) ?? [];
    const values = parse(text) as Values;
    expect(Object.keys(values)).toEqual(expect.arrayContaining(Object.keys(minimal)));
    expect(podsOf(renderChart(values)).length).toBeGreaterThan(2);
    const mentioned = [...section.matchAll(/--set(?:-string)? ([\w.]+)=(\S+)/g)];
    expect(mentioned.length).toBeGreaterThan(0);
    const set = mentioned.reduce((all, [, path = '', value = '']) => changed(all, path, parse(value)), values);
    expect(complaintOf(set)).toBe('nothing');
  });

  test('docs/deploy.md makes the Secret with the keys that the chart reads, in the namespace that it installs to', () => {
    const made = [...section.matchAll(/--from-file=([\w-]+)/g)].map(([, key]) => key);
    const { databaseUrl, sealingKeys, cookieKeys, operatorPassword } = (
      defaults['secrets'] as { keys: Record<string, string> }
    ).keys;
    expect(made.sort()).toEqual([databaseUrl, sealingKeys, cookieKeys, operatorPassword].sort());
    expect(section).toContain('pod-security.kubernetes.io/enforce=restricted');
  });

  test('docs/vault.md lets both service accounts in, for the audience and the role that the chart asks for', () => {
    const text = readFileSync(join(root, 'docs/vault.md'), 'utf8');
    const [, role, accounts = '', namespace, audience] =
      /auth\/kubernetes\/role\/(\S+) bound_service_account_names=(\S+) bound_service_account_namespaces=(\S+) audience=(\S+) /.exec(
        text,
      ) ?? [];
    const login = (defaults['vault'] as { auth: { kubernetes: Record<string, unknown> } }).auth.kubernetes;
    expect({ role, audience }).toEqual({ role: login['role'], audience: login['audience'] });
    const used = podsOf(renderChart(everything)).flatMap(({ spec }) => spec.serviceAccountName ?? []);
    expect([...new Set(used)].sort()).toEqual(accounts.split(',').sort());
    expect(section).toContain(`--namespace ${namespace}`);
  });
});

suite('notes', () => {
  /** Helm prints them after an install alone, which needs a cluster: here they are the text of a resource. */
  function notesOf(values: Values): string {
    const folder = mkdtempSync(join(tmpdir(), 'authsec-helm-'));
    try {
      cpSync(chart, folder, { recursive: true, dereference: true });
      const text = read('templates/NOTES.txt').replaceAll(/^/gm, '    ');
      const resource = `apiVersion: v1\nkind: Notes\nmetadata: { name: notes }\nspec:\n  text: |\n${text}\n`;
      writeFileSync(join(folder, 'templates/notes.yaml'), resource);
      return String(oneOf(renderChart(values, { from: folder }), 'Notes').spec['text']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('say how to look, and what is not as safe as it could be', () => {
    const safe = notesOf(minimal);
    expect(safe).toContain('helm -n authsec test authsec');
    expect(safe).not.toMatch(/tag|network policy|bootstrap/);
    const unsafe = notesOf({
      ...minimal,
      image: { repository: 'a/b', tag: '1' },
      networkPolicy: { enabled: false },
      bootstrap: { enabled: true, email: 'operator@example.com' },
    });
    for (const hint of ['set image.digest', 'There is no network policy', 'set bootstrap.enabled=false']) {
      expect(unsafe).toContain(hint);
    }
  });
});
