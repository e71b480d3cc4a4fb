import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

interface Named {
  readonly name: string;
  readonly value?: string;
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly Named[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [key: string]: unknown;
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly secret?: unknown }[];
  readonly securityContext: Record<string, unknown>;
  readonly automountServiceAccountToken?: boolean;
  readonly [key: string]: unknown;
}
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly data?: Record<string, string>;
  readonly spec: Record<string, any>;
}

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'deploy/kubernetes');

const kustomize = ((): boolean => {
  try {
    execFileSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** As `kubectl kustomize` renders it; without kubectl, the files that it is made of. */
function render(name: string): Resource[] {
  const text = kustomize
    ? execFileSync('kubectl', ['kustomize', join(folder, name)], { encoding: 'utf8' })
    : filesOf(name).join('\n---\n');
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Resource)
    .filter(({ kind }) => kind !== 'Kustomization' && kind !== 'Component');
}

function filesOf(name: string): string[] {
  const folders = name === 'example' ? ['base', 'example'] : ['migrate'];
  return folders.flatMap((one) =>
    readdirSync(join(folder, one))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => readFileSync(join(folder, one, file), 'utf8')),
  );
}

const example = render('example');
const migration = render('example/migrate');
const one = (resources: readonly Resource[], kind: string) => {
  const found = resources.filter((resource) => resource.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]!;
};
const deployment = one(example, 'Deployment');
const job = one(migration, 'Job');
const pods: [string, PodSpec][] = [
  ['Deployment', deployment.spec['template'].spec as PodSpec],
  ['Job', job.spec['template'].spec as PodSpec],
];

describe.each(pods)('the pods of the %s', (_kind, pod) => {
  test('are what the restricted pod security standard asks for, and cannot write but to /tmp', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of pod.containers) {
      expect(container['securityContext']).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    for (const forbidden of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod[forbidden]).toBeUndefined();
    expect(JSON.stringify(pod.volumes)).not.toContain('hostPath');
  });

  test('have no token of Kubernetes', () => {
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  test('take secrets from files alone, and settings that are valid', async () => {
    const { loadConfig } = (await import(join(root, 'apps/manager/dist/config/load-config.js'))) as {
      loadConfig(env: Record<string, string>, readFile: (path: string) => string): { migrateOnStart: boolean };
    };
    const own = Object.fromEntries(pod.containers[0]!.env.map(({ name, value }) => [name, value ?? '']));
    const named = Object.keys(own).filter((name) => /KEYS|DATABASE_URL|SECRET|TOKEN|PASSWORD/.test(name));
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(name).toMatch(/_FILE$/);
    const secrets: Record<string, string> = {
      'database-url': 'postgresql://u:x@db/authsec',
      'sealing-keys': `k1:${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`,
      'cookie-keys': 'x'.repeat(40),
    };
    const settings = { ...one(example, 'ConfigMap').data, ...own };
    const readFile = (path: string) => secrets[path.replace('/run/secrets/authsec/', '')] ?? '';
    expect(() => loadConfig(settings, readFile)).not.toThrow();
  });

  test('say what they need', () => {
    for (const { resources } of pod.containers) {
      expect(resources).toMatchObject({ requests: { cpu: expect.anything(), memory: expect.anything() } });
      expect(resources).toMatchObject({ limits: { memory: expect.anything() } });
    }
  });
});

describe('the Deployment', () => {
  const [manager] = deployment.spec['template'].spec.containers as Container[];

  test('has two replicas or more, never one less while a new version comes, and is spread', () => {
    expect(deployment.spec['replicas']).toBeGreaterThanOrEqual(2);
    expect(deployment.spec['strategy']).toEqual({ rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(deployment.spec['template'].spec.topologySpreadConstraints).toHaveLength(1);
    expect(one(example, 'PodDisruptionBudget').spec['minAvailable']).toBe(1);
  });

  test('is asked for readiness by what looks at the database, and for life by what does not', () => {
    const asked = (probe: string) => (manager![probe] as { httpGet: unknown }).httpGet;
    expect(asked('readinessProbe')).toEqual({ path: '/readyz', port: 'http' });
    expect(asked('livenessProbe')).toEqual({ path: '/healthz', port: 'http' });
    expect(asked('startupProbe')).toEqual({ path: '/healthz', port: 'http' });
  });

  test('is given longer to stop than it takes', () => {
    const { terminationGracePeriodSeconds, containers } = deployment.spec['template'].spec;
    const [{ lifecycle }] = containers;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(20 + lifecycle.preStop.sleep.seconds);
  });

  test('does not migrate by itself: the Job does', () => {
    expect(manager!.env).toContainEqual({ name: 'AUTHSEC_MIGRATE_ON_START', value: '0' });
    expect((job.spec['template'].spec as PodSpec).containers[0]!.args[0]).toBe('migrate');
    expect(job.spec['backoffLimit']).toBe(0);
  });

  test('is what the service, the budget and the network policy select, and the Job is not served', () => {
    const { labels } = deployment.spec['template'].metadata as { labels: Record<string, string> };
    for (const selector of [
      one(example, 'Service').spec['selector'],
      one(example, 'PodDisruptionBudget').spec['selector'].matchLabels,
      one(example, 'NetworkPolicy').spec['podSelector'].matchLabels,
      deployment.spec['selector'].matchLabels,
    ]) {
      expect(labels).toMatchObject(selector as Record<string, string>);
    }
    const ofJob = job.spec['template'].metadata.labels as Record<string, string>;
    expect(ofJob).not.toMatchObject(one(example, 'Service').spec['selector'] as Record<string, string>);
  });
});

test('the network policy names both directions and lets nothing out to metadata addresses', () => {
  const { policyTypes, ingress, egress } = one(example, 'NetworkPolicy').spec;
  expect(policyTypes).toEqual(['Ingress', 'Egress']);
  for (const rule of ingress) expect(rule.from).toBeDefined();
  const blocks = (egress as { to?: { ipBlock?: { cidr: string; except?: string[] } }[] }[]).flatMap(
    ({ to }) => to ?? [],
  );
  const all = blocks.find(({ ipBlock }) => ipBlock?.cidr === '0.0.0.0/0');
  expect(all?.ipBlock?.except).toEqual(expect.arrayContaining(['169.254.0.0/16', '10.0.0.0/8', '127.0.0.0/8']));
});

test('no secret lies beside the manifests', () => {
  expect([...example, ...migration].filter(({ kind }) => kind === 'Secret')).toEqual([]);
});

(kustomize ? test : test.skip)(
  'the first start is the Job of migrations with another command and a password from a file',
  () => {
    const bootstrap = one(render('example/bootstrap'), 'Job');
    expect(bootstrap.metadata.name).toBe('authsec-bootstrap');
    const [container] = (bootstrap.spec['template'].spec as PodSpec).containers;
    expect(container!.args).toEqual(['bootstrap']);
    expect(container!.env.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'AUTHSEC_BOOTSTRAP_EMAIL',
        'AUTHSEC_BOOTSTRAP_PASSWORD_FILE',
        'AUTHSEC_SEALING_KEYS_FILE',
      ]),
    );
  },
);

(kustomize ? describe : describe.skip)('with the Vault component', () => {
  test('the pods get a token for Vault, which says nothing to Kubernetes', () => {
    // kustomize takes no component from outside the folder that it renders.
    const parent = mkdtempSync(join(folder, '.test-'));
    try {
      mkdirSync(join(parent, 'own'));
      writeFileSync(join(parent, 'own/kustomization.yaml'), 'resources: [../../base]\ncomponents: [../../vault]\n');
      const text = execFileSync('kubectl', ['kustomize', join(parent, 'own')], { encoding: 'utf8' });
      const resources = parseAllDocuments(text).map((document) => document.toJS() as Resource);
      const pod = one(resources, 'Deployment').spec['template'].spec as PodSpec;
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.volumes).toContainEqual({
        name: 'vault-token',
        projected: {
          sources: [{ serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 3600 } }],
        },
      });
      expect(pod.containers[0]!.env).toContainEqual({ name: 'AUTHSEC_VAULT_AUTH', value: 'kubernetes' });
    } finally {
      rmSync(parent, { recursive: true });
    }
  });
});
