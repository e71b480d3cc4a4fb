import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { metrics } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { createLogger } from '../../../src/integrations/logger.js';
import { createTelemetry } from '../../../src/integrations/telemetry/create-telemetry.js';
import { createMetricsServer, type MetricsServer } from '../../../src/integrations/telemetry/metrics-server.js';
import { startTestServer, type TestServer } from '../../authorization-server/test-server.js';
import { metricsIn } from './promql.js';
import { type Scrape, scrape } from './scrape.js';
import { driveTraffic } from './traffic.js';

const root = new URL('../../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const { groups } = parse(read('deploy/observability/alerts.yml')) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const { panels, templating } = JSON.parse(read('deploy/observability/dashboard.json')) as {
  panels: Panel[];
  templating: { list: { query: string | { query: string } }[] };
};
const drawn = panels.filter(({ type }) => type !== 'row');
const runbook = read('docs/runbook.md');

let server: TestServer;
let sdk: MetricsServer;
let manager: Scrape;
let application: Scrape;
let managerPort = 0;

beforeAll(async () => {
  const ports = new Writable({
    write(line, _encoding, done) {
      const { msg, port } = JSON.parse(String(line)) as { msg: string; port: number };
      if (msg === 'metrics') managerPort = port;
      done();
    },
  });
  const telemetry = await createTelemetry({
    config: { traces: false, metrics: false, metricsServer: { host: '127.0.0.1', port: 0 }, tenantLabel: false },
    logger: createLogger('info', ports),
  });
  sdk = await createMetricsServer({ host: '127.0.0.1', port: 0 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [sdk.reader] }));
  server = await startTestServer({ telemetry }, { AUTHSEC_MAX_OPEN_TENANTS: '1' });
  const guarded = await driveTraffic(server);
  [manager, application] = [await scrape(managerPort), await scrape(sdk.port)];
  await guarded.close();
}, 60_000);
afterAll(async () => {
  await server?.close();
  await sdk?.close();
});

/** What is named in an expression and is not emitted, or has no such label. */
function unknownIn(expression: string): string[] {
  const series = new Map([...manager.series, ...application.series]);
  return metricsIn(expression).flatMap(({ metric, labels }) => {
    if (metric === 'up') return [];
    const known = series.get(metric);
    if (!known) return [metric];
    return labels
      .filter((label) => !['job', 'instance'].includes(label) && !known.has(label))
      .map((label) => `${metric}{${label}}`);
  });
}

describe('/metrics', () => {
  test('is nowhere on the public port, and is the only thing on its own', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
    expect(manager.status).toBe(200);
    for (const path of ['/', '/metrics/', '/healthz', '/v1/tenants']) {
      expect((await scrape(managerPort, path)).status).toBe(404);
    }
    expect((await scrape(managerPort, '/metrics', 'POST')).status).toBe(404);
  });

  test('names no tenant, person or id', async () => {
    const tenants = await server.container.master.tenant.findMany();
    expect(tenants.length).toBeGreaterThan(1);
    for (const { id } of tenants) expect(manager.text).not.toContain(id);
    expect(manager.text).not.toContain('@example.test');
  });

  test('has each request under the route that was asked for', () => {
    for (const route of ['/t/:tenant/go', '/t/:tenant/go/*', '/t/:tenant/token', '/v1/sessions', '/v1/sessions/:sid']) {
      expect(manager.text).toContain(`http_route="${route}"`);
    }
  });

  test('has values that make sense: the push of the change took less than the poll would have waited', () => {
    const valueOf = (line: string) =>
      Number(
        manager.text
          .split('\n')
          .find((one) => one.startsWith(line))
          ?.split(' ')
          .at(-1),
      );
    expect(valueOf('authsec_change_push_delay_seconds_count{waited="true"}')).toBeGreaterThanOrEqual(1);
    expect(valueOf('authsec_change_push_delay_seconds_bucket{waited="true",le="10"}')).toBe(
      valueOf('authsec_change_push_delay_seconds_count{waited="true"}'),
    );
    expect(valueOf('authsec_decisions_total{outcome="denied",code="role_missing"}')).toBe(1);
    expect(valueOf('authsec_sessions_ended_total{reason="logged_out"}')).toBe(1);
    expect(valueOf('authsec_logins_total{method="password",outcome="success"}')).toBe(1);
    expect(valueOf('authsec_tenant_databases_limit')).toBe(1);
    // What did not happen yet is there, so that the first time is seen.
    expect(valueOf('authsec_tenant_databases_closed_total{why="idle"}')).toBe(0);
    expect(valueOf('authsec_tenants_behind')).toBe(0);
    expect(valueOf('authsec_secret_store_up{store="sealed"}')).toBe(1);
  });
});

describe('docs/telemetry.md', () => {
  const documented = new Map(
    [...read('docs/telemetry.md').matchAll(/^\| `([a-z0-9._]+)`\s+\| (?:histogram|counter|gauge)\s+\|([^|]*)\|/gm)].map(
      ([, name, labels = '']) => [
        String(name),
        [...labels.replaceAll(/\([^)]*\)/g, '').matchAll(/`([^`]+)`/g)].map(([, label]) => String(label)),
      ],
    ),
  );
  const exposed = (name: string) => name.replaceAll('.', '_') + '(?:_total|_seconds|_bytes)?';

  test('has each metric that is emitted, and no other', () => {
    const emitted = [...manager.names, ...application.names];
    const pages = [...documented.keys()].map((name) => new RegExp(`^${exposed(name)}$`));
    expect(emitted.filter((name) => !pages.some((page) => page.test(name)))).toEqual([]);
    expect(
      [...documented.keys()].filter((name) => !emitted.some((one) => new RegExp(`^${exposed(name)}$`).test(one))),
    ).toEqual([]);
  });

  test('has each label of each metric', () => {
    for (const [series, labels] of [...manager.series, ...application.series]) {
      if (series === 'target_info') continue;
      const bare = series.replace(/_(bucket|sum|count)$/, '');
      const [name] = [...documented.keys()].filter((one) => new RegExp(`^${exposed(one)}$`).test(bare));
      const known = (documented.get(name ?? '') ?? []).map((label) => label.replaceAll('.', '_'));
      expect([series, [...labels].filter((label) => label !== 'le' && !known.includes(label))]).toEqual([series, []]);
    }
  });
});

describe('the alerts', () => {
  test('use only metrics and labels that are emitted', () => {
    expect(alerts.length).toBeGreaterThan(10);
    for (const { alert, expr } of alerts) expect([alert, unknownIn(expr)]).toEqual([alert, []]);
  });

  test('each say what is wrong, what to do, how urgent it is, and where its page of the runbook is', () => {
    const anchors = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, heading]) => heading);
    expect(anchors).toEqual(alerts.map(({ alert }) => alert));
    for (const { alert, annotations, labels, for: wait } of alerts) {
      expect(annotations).toEqual({
        summary: expect.stringMatching(/.{20,}/),
        description: expect.stringMatching(/.{20,}/),
        runbook_url: `docs/runbook.md#${alert.toLowerCase()}`,
      });
      expect(labels['severity']).toMatch(/^(page|ticket)$/);
      expect(wait).toMatch(/^\d+m$/);
    }
  });

  test('are each tried in alerts.test.yml, which promtool runs', () => {
    const tried = [...read('deploy/observability/alerts.test.yml').matchAll(/alertname="(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect([...tried].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  test('of the runbook name only what exists in its own expressions', () => {
    const expressions = [...runbook.matchAll(/`(sum [^`]+)`/g)].map(([, expression]) => String(expression));
    expect(expressions.length).toBeGreaterThan(0);
    for (const expression of expressions) expect(unknownIn(expression)).toEqual([]);
  });
});

describe('the dashboard', () => {
  test('uses only metrics and labels that are emitted', () => {
    for (const { title, targets = [] } of drawn) {
      expect(targets.length).toBeGreaterThan(0);
      for (const { expr } of targets) expect([title, unknownIn(expr)]).toEqual([title, []]);
    }
    for (const { query } of templating.list) {
      const [, metric] = /^label_values\((\w+),/.exec(typeof query === 'string' ? query : query.query) ?? [];
      if (metric !== undefined) expect(unknownIn(metric)).toEqual([]);
    }
  });

  test('draws each metric that is emitted', () => {
    const shown = drawn.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsIn(expr)));
    const bare = new Set(shown.map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, '')));
    expect([...manager.names, ...application.names].filter((name) => !bare.has(name))).toEqual([]);
  });

  test('names in legends only labels that are left', () => {
    for (const { title, targets = [] } of drawn) {
      for (const { expr, legendFormat } of targets) {
        const kept = metricsIn(expr).flatMap(({ labels }) => labels);
        const wanted = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => String(label));
        const grouped = /\b(sum|max|min)\b/.test(expr);
        expect([title, wanted.filter((label) => grouped && !kept.includes(label))]).toEqual([title, []]);
      }
    }
  });

  test('has panels that differ in id and do not lie over each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos }) => gridPos.x + gridPos.w <= 24)).toBe(true);
  });
});
