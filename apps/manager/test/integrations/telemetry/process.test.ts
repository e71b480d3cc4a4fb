import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ManagerProcess, startManager } from '../../support/start-manager.js';
import { createTestApplication, type TestApplication } from '../../support/test-data.js';
import { createTestManager, type TestManager } from '../../support/test-manager.js';
import { startCollector } from './collector.js';
import { scrape } from './scrape.js';

let manager: TestManager;
let application: TestApplication;
let child: ManagerProcess | undefined;

beforeAll(async () => {
  manager = await createTestManager();
  application = await createTestApplication(await manager.createTenant());
});
afterEach(() => void child?.process.kill('SIGKILL'));
afterAll(() => manager.close());

function start(env: Record<string, string>): ManagerProcess {
  child = startManager({ ...manager.env, AUTHSEC_LOG_LEVEL: 'info', ...env });
  return child;
}

async function ask(one: ManagerProcess, more: Record<string, string> = {}): Promise<number> {
  const headers = { authorization: await application.bearer(), ...more };
  return (await fetch(`http://127.0.0.1:${await one.port}/v1/changes?wait=0`, { headers })).status;
}

describe('the Manager as a process', () => {
  test('sends traces and metrics where the standard variables say, with their headers, the last ones when it stops', async () => {
    const collector = await startCollector();
    const one = start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-collector',
      OTEL_SERVICE_NAME: 'manager-of-the-test',
    });
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    expect(await ask(one, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })).toBe(200);
    one.process.kill('SIGTERM');
    expect(await one.exited).toBe(0);
    await collector.has('/v1/traces', Buffer.from(traceId, 'hex').toString('latin1'));
    await collector.has('/v1/traces', 'GET /v1/changes');
    await collector.has('/v1/traces', 'prisma:client:db_query');
    await collector.has('/v1/metrics', 'http.server.request.duration');
    for (const { authorization, body } of collector.received) {
      expect(authorization).toBe('Bearer of-the-collector');
      expect(body).toContain('manager-of-the-test');
    }
    expect(one.output()).not.toContain('of-the-collector');
    await collector.close();
  });

  test('sends no traces, or nothing at all, where that is said', async () => {
    const collector = await startCollector();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const quiet = start({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' });
    expect(await ask(quiet)).toBe(200);
    quiet.process.kill('SIGTERM');
    await quiet.exited;
    expect([...new Set(collector.received.map(({ path }) => path))]).toEqual(['/v1/metrics']);
    const before = collector.received.length;
    const silent = start({ ...endpoint, OTEL_SDK_DISABLED: 'true', AUTHSEC_METRICS_PORT: '0' });
    expect(await ask(silent)).toBe(200);
    silent.process.kill('SIGTERM');
    await silent.exited;
    expect(collector.received).toHaveLength(before);
    expect(silent.output()).not.toContain('"msg":"metrics"');
    expect(quiet.output()).not.toContain('OTEL_LOGS_EXPORTER');
    await collector.close();
  });

  test('sends metrics as often as is said, and says that it does not send log lines where somebody wants them', async () => {
    const collector = await startCollector();
    const one = start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
      OTEL_LOGS_EXPORTER: 'otlp',
    });
    expect(await ask(one)).toBe(200);
    await collector.has('/v1/metrics', '/v1/changes');
    expect(one.output()).toContain('OTEL_LOGS_EXPORTER is ignored: log lines go to standard output alone');
    expect(collector.received.some(({ path }) => path.includes('logs'))).toBe(false);
    await collector.close();
  });

  test('answers and stops all the same where the collector hangs or is away', async () => {
    const collector = await startCollector({ answers: false });
    for (const url of [collector.url, 'http://127.0.0.1:1']) {
      const one = start({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
      expect(await ask(one)).toBe(200);
      one.process.kill('SIGTERM');
      expect(await one.exited).toBe(0);
    }
    await collector.close();
  }, 60_000);

  test('has /metrics where it is told to, and says where', async () => {
    const one = start({ AUTHSEC_METRICS_PORT: '0' });
    const publicPort = await one.port;
    expect(await ask(one)).toBe(200);
    const line = one
      .output()
      .split('\n')
      .find((text) => text.includes('"msg":"metrics"'));
    const { port, host } = JSON.parse(line ?? '{}') as { port: number; host: string };
    expect(host).toBe('127.0.0.1');
    expect((await scrape(port)).text).toContain('http_route="/v1/changes"');
    expect((await scrape(publicPort)).status).toBe(404);
  });

  test('refuses a protocol that it does not speak, with everything else that is wrong', async () => {
    const one = start({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' });
    expect(await one.exited).not.toBe(0);
    expect(one.output()).toMatch(/OTEL_EXPORTER_OTLP_ENDPOINT: must be/);
    expect(one.output()).toMatch(/OTEL_EXPORTER_OTLP_PROTOCOL: must be http\/protobuf/);
  });
});

test('without telemetry nothing of OpenTelemetry is loaded', () => {
  const loaded = (config: string) => {
    const entry = new URL('../../../dist/integrations/telemetry/create-telemetry.js', import.meta.url);
    const serve = new URL('../../../dist/commands/serve.js', import.meta.url);
    const script = `
      await import(${JSON.stringify(serve.href)});
      const { createTelemetry } = await import(${JSON.stringify(entry.href)});
      await createTelemetry({ config: ${config}, logger: { info() {}, warn() {} } });
      const { default: Module } = await import('node:module');
      console.log(Object.keys(Module._cache).filter((path) => path.includes('opentelemetry')).length);
      process.exit(0);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    });
    if (stdout === '') throw new Error(stderr);
    return Number(stdout);
  };
  const off = { traces: false, metrics: false, tenantLabel: false };
  expect(loaded(JSON.stringify(off))).toBe(0);
  expect(loaded(JSON.stringify({ ...off, metrics: true }))).toBeGreaterThan(20);
});
