import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { helm, kubernetesValidate } from './helm/find-program.js';
import { chart, oneOf, type Pod, podOf, renderChart, root, runHelm, templateText } from './helm/render-chart.js';
import { everything, minimal, variants } from './helm/values.js';

const suite = helm ? describe : describe.skip;
const each = Object.entries(variants);

suite.each(each)('the chart with %s', (_name, values) => {
  test('passes helm lint, with warnings counted as errors', () => {
    const { ok, output } = runHelm(['lint', '--strict', chart, '-f', '-'], JSON.stringify(values));
    expect({ ok, output }).toEqual({ ok: true, output: expect.stringContaining('0 chart(s) failed') });
  });

  (kubernetesValidate ? test.each(['1.30', '1.37']) : test.skip.each(['']))(
    'is what Kubernetes %s takes, field by field',
    (version) => {
      const folder = mkdtempSync(join(tmpdir(), 'authsec-helm-'));
      try {
        const text = templateText(values)
          .split(/^---\n/m)
          .filter((part) => !part.includes('monitoring.coreos.com/v1'));
        const input = text.join('---\n');
        const file = join(folder, 'rendered.yaml');
        writeFileSync(file, input);
        const args = ['--strict', '--kubernetes-version', version, file];
        const { status, stdout, stderr } = spawnSync(kubernetesValidate!, args, { encoding: 'utf8' });
        expect({ status, output: stdout + stderr }).toEqual({
          status: 0,
          output: expect.not.stringMatching(/WARN|ERROR/),
        });
        const count = `${stdout}${stderr}`.match(/ passed for resource /g);
        expect(count).toHaveLength(input.match(/^kind: /gm)?.length ?? 0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test('has no Secret, and nothing twice', () => {
    const names = renderChart(values).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names.filter((name) => name.startsWith('Secret/'))).toEqual([]);
    expect([...new Set(names)]).toEqual(names);
  });
});

suite('the Manager’s Deployment', () => {
  test('has two replicas, never one less while a new version comes, and is spread over nodes and zones', () => {
    const resources = renderChart(minimal);
    const { spec } = oneOf(resources, 'Deployment');
    expect(spec['replicas']).toBe(2);
    expect(spec['strategy']).toEqual({ rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    const spread = spec['template'].spec.topologySpreadConstraints as { topologyKey: string; labelSelector: unknown }[];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const { labelSelector } of spread) expect(labelSelector).toEqual(spec['selector']);
    expect(oneOf(resources, 'PodDisruptionBudget').spec).toMatchObject({
      maxUnavailable: 1,
      selector: spec['selector'],
    });
  });

  test('leaves the number of replicas to the autoscaler where there is one', () => {
    const resources = renderChart(everything);
    const { metadata, spec } = oneOf(resources, 'Deployment', 'authsec-manager');
    expect(spec).not.toHaveProperty('replicas');
    expect(oneOf(resources, 'HorizontalPodAutoscaler').spec).toMatchObject({
      minReplicas: 2,
      scaleTargetRef: { kind: 'Deployment', name: metadata.name },
    });
  });

  test('is given longer to stop than it takes', () => {
    const { spec } = podOf(renderChart(minimal), 'manager');
    const serve = readFileSync(join(root, 'apps/manager/src/commands/serve.ts'), 'utf8');
    const stopSeconds = Number(/stopWithinMs = ([\d_]+);/.exec(serve)?.[1]?.replace('_', '')) / 1000;
    const { preStop } = spec.containers[0]!['lifecycle'] as { preStop: { sleep: { seconds: number } } };
    expect(spec['terminationGracePeriodSeconds']).toBeGreaterThan(stopSeconds + preStop.sleep.seconds);
  });

  test('is named by digest where one is given', () => {
    const digest = `sha256:${'01'.repeat(32)}`;
    const imageOf = (values: object) =>
      podOf(renderChart({ ...minimal, ...values }), 'manager').spec.containers[0]!.image;
    expect(imageOf({})).toBe(`registry.example.com/authsec-manager@${digest}`);
    expect(imageOf({ image: { repository: 'a/b', tag: '1', digest } })).toBe(`a/b:1@${digest}`);
    expect(imageOf({ image: { repository: 'a/b', tag: '1' } })).toBe('a/b:1');
  });

  test('gives each of two releases in a namespace names and pods of its own', () => {
    const [one, other] = ['authsec', 'second'].map((release) => renderChart(everything, { release }));
    const names = (resources = one!) => resources.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names(other).filter((name) => names().includes(name))).toEqual([]);
    expect(podOf(other!, 'manager').labels).not.toMatchObject(
      oneOf(one!, 'Service', 'authsec-manager').spec['selector'],
    );
  });
});

suite('probes', () => {
  const express = createRequire(join(root, 'apps/manager/package.json'))('express') as () => RequestListener & {
    use(router: unknown): void;
  };
  const healthRoutes = async (database: () => Promise<unknown>) => {
    const path = join(root, 'apps/manager/dist/http/health-routes.js');
    const { createHealthRoutes } = (await import(path)) as { createHealthRoutes(probes: object): unknown };
    const app = express();
    app.use(
      createHealthRoutes({ database, secretStore: () => ({ status: 'ok' }), stopping: new AbortController().signal }),
    );
    return app;
  };

  test('ask the Manager for readiness by what looks at the database, and for life by what does not', async () => {
    const { spec } = podOf(renderChart(minimal), 'manager');
    const [{ startupProbe, readinessProbe, livenessProbe }] = spec.containers as [Pod['spec']['containers'][0]];
    const probes = [startupProbe!, readinessProbe!, livenessProbe!];
    for (const { httpGet } of probes) expect(httpGet).toMatchObject({ port: 'http', scheme: 'HTTP' });
    const ask = async (database: () => Promise<unknown>) =>
      withServer(await healthRoutes(database), (url) =>
        Promise.all(probes.map(async ({ httpGet }) => (await fetch(url + httpGet.path)).status)),
      );
    expect(await ask(async () => 1)).toEqual([200, 200, 200]);
    expect(await ask(() => Promise.reject(new Error('gone')))).toEqual([200, 503, 200]);
  });

  test('ask the demo where it answers', async () => {
    const path = join(root, 'apps/demo-mcp/dist/app.js');
    const { createDemoApp } = (await import(path)) as { createDemoApp(options: object): { app: RequestListener } };
    const [{ startupProbe, readinessProbe, livenessProbe, ports }] = podOf(renderChart(everything), 'demo').spec
      .containers as [Pod['spec']['containers'][0]];
    expect(ports).toEqual([{ name: 'http', containerPort: 4701 }]);
    await withServer(createDemoApp({ endpoints: [], allowedHosts: ['mcp.example.com'] }).app, async (url) => {
      for (const probe of [startupProbe!, readinessProbe!, livenessProbe!]) {
        expect(probe.httpGet.port).toBe('http');
        expect((await fetch(url + probe.httpGet.path)).status).toBe(200);
      }
    });
  });

  test('are asked by TLS where the Manager ends it, and the Service says so', () => {
    const resources = renderChart({ ...minimal, tls: { existingSecret: 'authsec-tls' } });
    const { spec } = podOf(resources, 'manager');
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      expect(spec.containers[0]![probe]).toMatchObject({ httpGet: { scheme: 'HTTPS' } });
    }
    expect(oneOf(resources, 'Service', 'authsec-manager').spec['ports']).toEqual([
      { name: 'https', port: 443, targetPort: 'http' },
    ]);
  });
});

suite('helm test', () => {
  const pod = () => podOf(renderChart(minimal), 'test');

  test('asks the Service of the Manager, by a program that needs no shell', () => {
    const { name, spec } = pod();
    expect(name).toBe('Pod/authsec-test');
    expect(spec.containers[0]!.command![0]).toBe('/nodejs/bin/node');
    const { metadata, spec: service } = oneOf(renderChart(minimal), 'Service', 'authsec-manager');
    expect(service['ports']).toEqual([{ name: 'http', port: 80, targetPort: 'http' }]);
    expect(spec.containers[0]!.args!.slice(1)).toEqual([`http://${metadata.name}/readyz`]);
    const byTls = podOf(renderChart({ ...minimal, tls: { existingSecret: 'a' } }), 'test');
    expect(byTls.spec.containers[0]!.args!.slice(1)).toEqual(['https://authsec-manager/readyz']);
  });

  test.each([
    [0, 200, '{"status":"ready","dependencies":{"database":"ok","secret_store":"ok"}}'],
    [1, 200, '{"status":"ready","dependencies":{"database":"ok","secret_store":"degraded"}}'],
    [1, 503, '{"status":"not_ready"}'],
  ])('ends with %d on an answer of %d %s', async (code, status, body) => {
    const [{ command, args }] = pod().spec.containers as [Pod['spec']['containers'][0]];
    await withServer(
      (_request, response) => void response.writeHead(status).end(body),
      async (url) => {
        const program = [...command!.slice(1), args![0]!, `${url}/readyz`];
        const child = spawn(process.execPath, program, { stdio: 'ignore' });
        expect(await once(child, 'exit')).toEqual([code, null]);
      },
    );
  });
});

suite('monitoring', () => {
  test('has the rules of deploy/observability, which lead to the operator’s runbook', () => {
    const rules = readFileSync(join(root, 'deploy/observability/alerts.yml'), 'utf8');
    const own = rules.replaceAll('docs/runbook.md', 'https://wiki.example.com/authsec');
    expect(oneOf(renderChart(everything), 'PrometheusRule').spec).toEqual(parse(own));
    const plain = renderChart({ ...minimal, metrics: { rules: { enabled: true } } });
    expect(oneOf(plain, 'PrometheusRule').spec).toEqual(parse(rules));
  });

  test('reads the port of metrics, under the name that alerts know the Manager by', () => {
    const resources = renderChart(everything);
    const { spec } = oneOf(resources, 'ServiceMonitor');
    const service = oneOf(resources, 'Service', 'authsec-metrics');
    expect(service.metadata.labels).toMatchObject(spec['selector'].matchLabels);
    const [endpoint] = spec['endpoints'];
    expect(service.spec['ports']).toEqual([{ name: endpoint.port, port: 9464, targetPort: 'metrics' }]);
    expect(endpoint).toMatchObject({ path: '/metrics' });
    const jobs = [...JSON.stringify(oneOf(resources, 'PrometheusRule').spec).matchAll(/job=\\"([\w-]+)\\"/g)];
    expect(new Set(jobs.map(([, job]) => job))).toEqual(new Set([endpoint.relabelings[0].replacement]));
    expect(endpoint.relabelings).toEqual([{ targetLabel: 'job', replacement: 'authsec-manager' }]);
  });

  test('has the dashboard of deploy/observability', () => {
    const dashboard = readFileSync(join(root, 'deploy/observability/dashboard.json'), 'utf8');
    const { data, metadata } = oneOf(renderChart(everything), 'ConfigMap');
    expect(data).toEqual({ 'authsec.json': dashboard });
    expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
  });
});

suite('packaged, as it is released', () => {
  test('it renders the same, with files that lie outside of its folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'authsec-helm-'));
    try {
      const { ok } = runHelm([
        'package',
        chart,
        '--version',
        '1.2.3',
        '--app-version',
        '1.2.3',
        '--destination',
        folder,
      ]);
      expect(ok).toBe(true);
      const packaged = templateText(everything, { from: join(folder, 'authsec-1.2.3.tgz') });
      expect(packaged.replaceAll('1.2.3', '0.0.0')).toBe(templateText(everything));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function withServer<T>(listener: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}
