import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { helm } from './helm/find-program.js';
import { chart, oneOf, type Pod, podOf, podsOf, renderChart, type Resource, root } from './helm/render-chart.js';
import { everything, minimal, variants } from './helm/values.js';

const suite = helm ? describe : describe.skip;
const load = async <T>(path: string) => (await import(join(root, path))) as T;

type LoadConfig = (env: Record<string, string>, readFile: (path: string) => string) => Record<string, any>;
const { loadConfig } = await load<{ loadConfig: LoadConfig }>('apps/manager/dist/config/load-config.js');
const { environmentSchema, secretVariables } = await load<{
  environmentSchema: { shape: Record<string, unknown> };
  secretVariables: readonly string[];
}>('apps/manager/dist/config/schema.js');
const { createCertificate } = await load<{ createCertificate(): { certificate: string; private_key: string } }>(
  'apps/manager/test/support/certificate.ts',
);
const tls = createCertificate();
const files: Record<string, string> = {
  '/run/secrets/authsec/database-url': 'postgresql://u:x@db/authsec',
  '/run/secrets/authsec/tenant-database-url': 'postgresql://u:x@tenants/postgres',
  '/run/secrets/authsec/sealing-keys': `k1:${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`,
  '/run/secrets/authsec/cookie-keys': 'x'.repeat(40),
  '/run/secrets/authsec/vault-secret-id': 'a-secret-id',
  '/run/secrets/tls/tls.crt': tls.certificate,
  '/run/secrets/tls/tls.key': tls.private_key,
  '/etc/authsec/certificates/vault.pem': tls.certificate,
};
const readFile = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
};

const managerPods = (resources: readonly Resource[]) =>
  podsOf(resources).filter(({ component }) => ['manager', 'migrate', 'bootstrap'].includes(component));
const environmentOf = ({ spec }: Pod): Record<string, string> =>
  Object.fromEntries(
    (spec.containers[0]!.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  );
/** Not of the Manager's configuration: of Node, of OpenTelemetry's own SDK, and of one command. */
const others = [
  'NODE_EXTRA_CA_CERTS',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'AUTHSEC_BOOTSTRAP_EMAIL',
  'AUTHSEC_BOOTSTRAP_PASSWORD_FILE',
];

suite.each(Object.entries(variants))('settings with %s', (_name, values) => {
  test('are variables that the Manager knows, each once, and its own loader takes them', () => {
    const known = [
      ...Object.keys(environmentSchema.shape),
      ...secretVariables.map((name) => `${name}_FILE`),
      ...others,
    ];
    const pods = managerPods(renderChart(values));
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) {
      const names = (pod.spec.containers[0]!.env ?? []).map(({ name }) => name);
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
      expect([...new Set(names)]).toEqual(names);
      const config = loadConfig(environmentOf(pod), readFile);
      expect(config).toMatchObject({ url: values['url'], trustedProxies: values['trustedProxies'] });
    }
  });

  test('listen where the ports of the pod are', () => {
    const pod = podOf(renderChart(values), 'manager');
    const { host, port, telemetry } = loadConfig(environmentOf(pod), readFile);
    const metrics = (values['metrics'] as { enabled?: boolean } | undefined)?.enabled ?? true;
    expect({ host, port }).toEqual({ host: '0.0.0.0', port: 4700 });
    expect(telemetry.metricsServer).toEqual(metrics ? { host: '0.0.0.0', port: 9464 } : undefined);
    expect(pod.spec.containers[0]!.ports).toEqual([
      { name: 'http', containerPort: port },
      ...(metrics ? [{ name: 'metrics', containerPort: 9464 }] : []),
    ]);
  });

  test('take secrets from files and Secrets alone, and each file is mounted', () => {
    for (const { spec } of podsOf(renderChart(values))) {
      for (const { env = [], volumeMounts = [] } of spec.containers) {
        const named = env.filter(({ name }) =>
          /KEYS|DATABASE_URL|SECRET|TOKEN|PASSWORD|HEADERS|CREDENTIALS/.test(name),
        );
        for (const { name, valueFrom } of named) if (!valueFrom) expect(name).toMatch(/_FILES?$/);
        const paths = env.flatMap(({ value }) => (value?.startsWith('/') ? value.split(',') : []));
        const mounts = volumeMounts.map(({ name, mountPath }) => ({
          mountPath,
          items: spec.volumes?.find((volume) => volume.name === name)?.secret?.items?.map(({ path }) => path),
        }));
        for (const path of paths) {
          const mount = mounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
          expect({ path, mount }).toEqual({ path, mount: expect.anything() });
          if (mount?.items) expect(mount.items).toContain(path.slice(mount.mountPath.length + 1));
        }
      }
    }
  });

  test('are the same for the jobs before an upgrade as for the Manager, those of Vault too', () => {
    const resources = renderChart(values);
    const manager = environmentOf(podOf(resources, 'manager'));
    const ofServing =
      /^AUTHSEC_(HOST|PORT|MIGRATE_ON_START|METRICS_PORT|METRICS_HOST|TLS_\w+)$|^OTEL_EXPORTER_OTLP_ENDPOINT$/;
    const shared = Object.entries(manager).filter(([name]) => !ofServing.test(name));
    for (const pod of managerPods(resources)) expect(environmentOf(pod)).toMatchObject(Object.fromEntries(shared));
  });
});

suite('the settings that values may have', () => {
  const { properties } = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as {
    properties: { settings: { properties: Record<string, unknown> } };
  };
  const free = Object.keys(properties.settings.properties);

  test('are all of the Manager’s that the chart does not set, without secrets and what is for development', () => {
    const set = Object.values(variants).flatMap((values) =>
      managerPods(renderChart({ ...values, settings: {} })).flatMap((pod) => pod.spec.containers[0]!.env ?? []),
    );
    const byChart = new Set(set.map(({ name }) => name));
    const defaults = ['AUTHSEC_LOG_LEVEL', 'AUTHSEC_MAX_OPEN_TENANTS'];
    const forDevelopment = [
      'AUTHSEC_DANGEROUSLY_ALLOW_HTTP',
      'AUTHSEC_DANGEROUSLY_ALLOW_VAULT_ROOT_TOKEN',
      'AUTHSEC_STOP_ON_STDIN_END',
    ];
    const expected = Object.keys(environmentSchema.shape).filter(
      (name) =>
        defaults.includes(name) ||
        !(byChart.has(name) || secretVariables.includes(name) || forDevelopment.includes(name)),
    );
    // A wrapped secret id opens once, and a pod starts as often as it likes.
    expect(secretVariables.filter((name) => !byChart.has(`${name}_FILE`))).toEqual([
      'AUTHSEC_VAULT_WRAPPED_SECRET_ID',
      'VAULT_TOKEN',
    ]);
    expect(free.filter((name) => name in environmentSchema.shape).sort()).toEqual(expected.sort());
  });

  test('are otherwise OpenTelemetry’s, as docs/telemetry.md names them', () => {
    const documented = readFileSync(join(root, 'docs/telemetry.md'), 'utf8');
    for (const name of free.filter((one) => !(one in environmentSchema.shape))) {
      expect(documented).toContain(`\`${name}\``);
    }
  });

  test('reach the Manager as they were written, numbers and booleans too', () => {
    const settings = {
      AUTHSEC_MAX_OPEN_TENANTS: 10_000,
      AUTHSEC_METRICS_TENANT_LABEL: true,
      AUTHSEC_LOG_LEVEL: 'warn',
    };
    const config = loadConfig(environmentOf(podOf(renderChart({ ...minimal, settings }), 'manager')), readFile);
    expect(config).toMatchObject({ maxOpenTenants: 10_000, logLevel: 'warn', telemetry: { tenantLabel: true } });
  });
});

suite('jobs before an install and an upgrade', () => {
  const hookOf = ({ metadata: { annotations = {} } }: Resource) => ({
    events: annotations['helm.sh/hook'],
    weight: Number(annotations['helm.sh/hook-weight']),
  });

  test('migrate, then bootstrap, after what they need, none of which the release itself brings', () => {
    const resources = renderChart(everything);
    const hooks = resources.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook']?.startsWith('pre-'));
    for (const hook of hooks) expect(hookOf(hook).events).toBe('pre-install,pre-upgrade');
    const ordered = hooks
      .toSorted((a, b) => hookOf(a).weight - hookOf(b).weight)
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(ordered.slice(0, 2).sort()).toEqual(['NetworkPolicy authsec-migrate', 'ServiceAccount authsec-migrate']);
    expect(ordered.slice(2)).toEqual(['Job authsec-migrate', 'Job authsec-bootstrap']);
    const later = resources.filter((one) => !hooks.includes(one)).map(({ metadata }) => metadata.name);
    for (const job of ['authsec-migrate', 'authsec-bootstrap']) {
      const { spec } = podsOf([oneOf(resources, 'Job', job)])[0]!;
      expect(spec.serviceAccountName).toBe('authsec-migrate');
      expect(spec.volumes?.filter(({ configMap }) => later.includes((configMap as { name: string })?.name))).toEqual(
        [],
      );
      expect(JSON.stringify(spec.containers)).not.toMatch(/configMapRef|configMapKeyRef/);
    }
  });

  test('run the commands of the image once, and are kept when they failed', () => {
    const resources = renderChart(everything);
    for (const [name, args] of [
      ['authsec-migrate', ['migrate', '--canary', '3']],
      ['authsec-bootstrap', ['bootstrap']],
    ] as const) {
      const { spec, metadata } = oneOf(resources, 'Job', name);
      expect(spec['template'].spec.containers[0].args).toEqual(args);
      expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 3600 });
      expect(metadata.annotations).toMatchObject({
        'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
      });
    }
  });

  test('alone have the operator’s password, and only the one that needs it', () => {
    const holders = podsOf(renderChart(everything)).filter(({ spec }) =>
      JSON.stringify(spec).includes('operator-password'),
    );
    expect(holders.map(({ name }) => name)).toEqual(['Job/authsec-bootstrap']);
  });

  test('are there where they are asked for; otherwise replicas migrate by themselves, or do not', () => {
    const jobs = (by: string) => {
      const resources = renderChart({ ...minimal, migrate: { by } });
      const { migrateOnStart } = loadConfig(environmentOf(podOf(resources, 'manager')), readFile);
      return [resources.filter(({ kind }) => kind === 'Job').length, migrateOnStart];
    };
    expect([jobs('job'), jobs('start'), jobs('operator')]).toEqual([
      [1, false],
      [0, true],
      [0, false],
    ]);
  });
});

suite('the demo', () => {
  test('starts with its settings, at the host that the ingress leads to it from', async () => {
    const { loadConfig: loadDemo } = await load<{ loadConfig: LoadConfig }>('apps/demo-mcp/dist/config.js');
    const resources = renderChart(everything);
    const tenantOf = (path: string) => /([a-z]+)\.json$/.exec(path)![1]!;
    const credentials = (path: string) =>
      JSON.stringify({ tenant: tenantOf(path), issuer: 'https://a.example', client_id: 'a', client_secret: 'b' });
    const config = loadDemo(environmentOf(podOf(resources, 'demo')), credentials);
    expect(config).toMatchObject({ host: '0.0.0.0', port: 4701, allowedHosts: ['mcp.example.com'] });
    expect(config['endpoints'].map(({ tenant }: { tenant: string }) => tenant)).toEqual(['acme', 'globex']);
    expect(oneOf(resources, 'Ingress', 'authsec-demo').spec['rules'][0].host).toBe('mcp.example.com');
  });

  test('is not there unless it is asked for', () => {
    expect(JSON.stringify(renderChart(minimal))).not.toContain('demo');
  });
});
