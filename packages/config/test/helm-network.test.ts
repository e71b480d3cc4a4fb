import { describe, expect, test } from '@jest/globals';
import { helm } from './helm/find-program.js';
import { type Labels, oneOf, type Pod, podOf, podsOf, renderChart, type Resource } from './helm/render-chart.js';
import { everything, minimal, variants } from './helm/values.js';

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values: string[] }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports: readonly { readonly port: number }[];
}

const suite = helm ? describe : describe.skip;
const policies = (resources: readonly Resource[]) => resources.filter(({ kind }) => kind === 'NetworkPolicy');

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key] ?? ''))
  );
}

/** What the policies let in to a pod, or out of it. */
function rulesOf(resources: readonly Resource[], { labels }: Pod, direction: 'ingress' | 'egress'): Rule[] {
  return policies(resources)
    .filter(({ spec }) => selects(spec['podSelector'], labels))
    .flatMap(({ spec }) => (spec[direction] ?? []) as Rule[]);
}

const portsOf = (rules: readonly Rule[]) => rules.flatMap(({ ports }) => ports.map(({ port }) => port));
const namespacesOf = (rules: readonly Rule[]) =>
  rules.flatMap(({ from = [], to = [] }) =>
    [...from, ...to].flatMap(({ namespaceSelector }) => Object.values(namespaceSelector?.matchLabels ?? {})),
  );

suite('network policies', () => {
  test.each(Object.entries(variants).filter(([, { networkPolicy }]) => !isOff(networkPolicy)))(
    'with %s: every pod is shut in both directions, and selected by one policy of its own',
    (_name, values) => {
      const resources = renderChart(values);
      for (const { name, labels } of podsOf(resources)) {
        const [deny, own, ...more] = policies(resources).filter(({ spec }) => selects(spec['podSelector'], labels));
        expect({ name, more }).toEqual({ name, more: [] });
        expect(deny!.spec).toEqual({ podSelector: expect.anything(), policyTypes: ['Ingress', 'Egress'] });
        expect(own!.spec['policyTypes']).toContain('Egress');
      }
    },
  );

  test('select nothing of another release', () => {
    const others = podsOf(renderChart(everything, { release: 'second' }));
    for (const { spec } of policies(renderChart(everything))) {
      expect(others.filter(({ labels }) => selects(spec['podSelector'], labels))).toEqual([]);
    }
  });

  test('let requests in from the ingress controller and the test, and to metrics only from monitoring', () => {
    for (const values of [minimal, everything]) {
      const resources = renderChart(values);
      const rules = rulesOf(resources, podOf(resources, 'manager'), 'ingress');
      expect(rules.map(({ ports }) => ports)).toEqual([
        [{ protocol: 'TCP', port: 4700 }],
        [{ protocol: 'TCP', port: 9464 }],
      ]);
      const [requests, metrics] = rules as [Rule, Rule];
      expect(namespacesOf([requests])).toEqual(['ingress-nginx']);
      const pods = podsOf(resources).filter(({ labels }) =>
        requests.from!.some(({ podSelector }) => podSelector && selects(podSelector, labels)),
      );
      expect(pods.map(({ component }) => component)).toEqual(['test']);
      expect(metrics.from).toEqual([
        { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
      ]);
    }
  });

  test('open nothing where nobody is named', () => {
    const networkPolicy = { requestsFrom: [], metricsFrom: [] };
    const resources = renderChart({ ...everything, networkPolicy });
    const rules = podsOf(resources).flatMap((pod) => rulesOf(resources, pod, 'ingress'));
    expect(rules).toHaveLength(1);
    expect(rules[0]!.from).toEqual([{ podSelector: { matchLabels: podSelectorOf('test') } }]);
    for (const rule of rules) expect(rule.from).not.toEqual([]);
  });

  test('let the Manager and its jobs out to names, PostgreSQL and Vault; collector and https only the Manager', () => {
    const resources = renderChart(everything);
    const ports = (component: string) => portsOf(rulesOf(resources, podOf(resources, component), 'egress'));
    expect(ports('manager')).toEqual([53, 53, 5432, 6432, 8200, 4318, 443, 443]);
    expect(ports('migrate')).toEqual([53, 53, 5432, 6432, 8200]);
    expect(ports('bootstrap')).toEqual(ports('migrate'));
    expect(ports('demo')).toEqual([53, 53, 443, 443]);
    expect(ports('test')).toEqual([53, 53, 4700]);
    const [, database, vault] = rulesOf(resources, podOf(resources, 'migrate'), 'egress');
    expect([database!.to, vault!.to]).toEqual([
      [{ ipBlock: { cidr: '10.4.0.0/24' } }],
      [{ ipBlock: { cidr: '10.5.0.0/24' } }],
    ]);
  });

  test('let nobody out to a Vault or a collector that there is not, nor to https where that is turned off', () => {
    const resources = renderChart({ ...minimal, networkPolicy: { publicHttps: false } });
    expect(portsOf(rulesOf(resources, podOf(resources, 'manager'), 'egress'))).toEqual([53, 53, 5432]);
  });

  test.each([
    ['https://vault.example.com', 443],
    ['https://vault.example.com:8200', 8200],
    ['https://vault.example.com:8443/base', 8443],
    ['https://[fd00::1]:8200', 8200],
    ['https://[fd00::8200]', 443],
  ])('take the port of Vault from its address: %s', (address, port) => {
    const resources = renderChart({ ...minimal, vault: { enabled: true, address } });
    expect(portsOf(rulesOf(resources, podOf(resources, 'migrate'), 'egress'))).toEqual([53, 53, 5432, port]);
  });

  test('let nothing out by https to private addresses, this machine or a cloud’s metadata', () => {
    const resources = renderChart(everything);
    for (const component of ['manager', 'demo']) {
      const rules = rulesOf(resources, podOf(resources, component), 'egress');
      const blocks = rules.flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock] : [])));
      const wide = blocks.filter(({ cidr }) => Number(cidr.split('/')[1]) < 8);
      expect(wide.map(({ cidr }) => cidr)).toEqual(['0.0.0.0/0', '2000::/3']);
      expect(wide[0]!.except).toEqual(
        expect.arrayContaining([
          '169.254.0.0/16',
          '10.0.0.0/8',
          '127.0.0.0/8',
          '172.16.0.0/12',
          '192.168.0.0/16',
          '100.64.0.0/10',
        ]),
      );
    }
  });

  test('are not there where somebody turned them off, and the notes say what that means', () => {
    expect(policies(renderChart({ ...minimal, networkPolicy: { enabled: false } }))).toEqual([]);
  });
});

suite('services and ingresses', () => {
  test('each Service selects the pods that it means, by a port that they have, and no Job', () => {
    const resources = renderChart(everything);
    const reached = resources
      .filter(({ kind }) => kind === 'Service')
      .map(({ metadata, spec }) => {
        const pods = podsOf(resources).filter(({ labels }) => selects({ matchLabels: spec['selector'] }, labels));
        const [{ targetPort }] = spec['ports'];
        for (const { spec: pod } of pods)
          expect(pod.containers[0]!.ports?.map(({ name }) => name)).toContain(targetPort);
        return [metadata.name, pods.map(({ component }) => component)];
      });
    expect(Object.fromEntries(reached)).toEqual({
      'authsec-manager': ['manager'],
      'authsec-metrics': ['manager'],
      'authsec-demo': ['demo'],
    });
  });

  test('what may be reached from outside has no port of metrics, and keeps the client’s address', () => {
    const { spec } = oneOf(renderChart(everything), 'Service', 'authsec-manager');
    expect(spec).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
    expect(JSON.stringify(spec['ports'])).not.toMatch(/metrics|9464/);
    expect(oneOf(renderChart(everything), 'Service', 'authsec-metrics').spec['clusterIP']).toBe('None');
  });

  test('an Ingress has TLS for the host of the public address, and leads to a port of the Service', () => {
    for (const tls of [{ existingSecret: 'a' }, { existingSecret: '' }]) {
      const resources = renderChart({ ...everything, tls });
      const { spec } = oneOf(resources, 'Ingress', 'authsec-manager');
      expect(spec['tls']).toEqual([{ hosts: ['auth.example.com'], secretName: 'authsec-public-tls' }]);
      const [{ host, http }] = spec['rules'];
      const { name, port } = http.paths[0].backend.service;
      expect({ host, path: http.paths[0].path }).toEqual({ host: 'auth.example.com', path: '/' });
      const ports = oneOf(resources, 'Service', name).spec['ports'] as { name: string }[];
      expect(ports.map((one) => one.name)).toContain(port.name);
    }
  });

  test('the disruption budget and the Deployment select the same pods', () => {
    const resources = renderChart(everything);
    for (const selector of [
      oneOf(resources, 'PodDisruptionBudget').spec['selector'],
      oneOf(resources, 'Deployment', 'authsec-manager').spec['selector'],
    ]) {
      const pods = podsOf(resources).filter(({ labels }) => selects(selector, labels));
      expect(pods.map(({ name }) => name)).toEqual(['Deployment/authsec-manager']);
    }
  });
});

const podSelectorOf = (component: string) => ({
  'app.kubernetes.io/name': 'authsec',
  'app.kubernetes.io/instance': 'authsec',
  'app.kubernetes.io/component': component,
});

function isOff(networkPolicy: unknown): boolean {
  return (networkPolicy as { enabled?: boolean } | undefined)?.enabled === false;
}
