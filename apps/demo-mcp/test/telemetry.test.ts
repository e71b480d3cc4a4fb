import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';

const dist = new URL('../dist/', import.meta.url).href;
const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

/** The packages of OpenTelemetry that a process has loaded once the demo has started its telemetry and the SDK. */
function loadedWith(env: Record<string, string>): string[] {
  const script = `
    const { startTelemetry } = await import('${dist}telemetry.js');
    const { createDemoApp } = await import('${dist}app.js');
    const telemetry = await startTelemetry(${JSON.stringify(env)});
    createDemoApp({ endpoints: [{ tenant: 'acme', issuer: 'https://a.example/t/acme', clientId: 'a', clientSecret: 'b' }] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { default: Module } = await import('node:module');
    const names = Object.keys(Module._cache).map((path) => /.*(@opentelemetry[\\\\/][a-z-]+)/.exec(path)?.[1]);
    console.log(JSON.stringify([...new Set(names.filter(Boolean))]));
    process.exit(0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

test.each([
  ['nothing is set', {}],
  ['it is turned off', { ...collector, OTEL_SDK_DISABLED: 'true' }],
  ['neither signal is wanted', { ...collector, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }],
])('nothing of OpenTelemetry but its API is loaded where %s', (_case, env) => {
  expect(loadedWith(env).filter((name) => name !== '@opentelemetry/api')).toEqual([]);
});

test('where a collector is named, its SDK is', () => {
  expect(loadedWith({ ...collector, OTEL_METRICS_EXPORTER: 'none' })).toEqual(
    expect.arrayContaining(['@opentelemetry/sdk-trace', '@opentelemetry/exporter-trace-otlp-proto']),
  );
});

test.each([[['--stdio']], [[]]])('a protocol that it does not speak is refused before anything else: %j', (args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [new URL('main.js', dist).pathname, ...args], {
    encoding: 'utf8',
    env: { ...collector, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: 'OTEL_EXPORTER_OTLP_PROTOCOL: the demo speaks http/protobuf alone\n',
  });
});

test('on stdio a collector that is away is a word on standard error, and nothing on the stream of the client', async () => {
  const child = spawn(process.execPath, [new URL('main.js', dist).pathname, '--stdio'], {
    env: {
      ...collector,
      AUTHSEC_ISSUER: 'http://127.0.0.1:9/t/acme',
      AUTHSEC_CLIENT_ID: 'public',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    },
  });
  const said = { stdout: '', stderr: '' };
  const until = (stream: 'stdout' | 'stderr', text: string) =>
    new Promise<void>((resolve, reject) => {
      child[stream].on('data', (chunk: Buffer) => {
        said[stream] += chunk.toString();
        if (said[stream].includes(text)) resolve();
      });
      child.once('exit', () => reject(new Error(JSON.stringify(said))));
    });
  const answered = until('stdout', 'pong');
  const warned = until('stderr', 'ECONNREFUSED');
  const send = (id: number, method: string, params: object) =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  const clientInfo = { name: 'test', version: '1.0.0' };
  send(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  send(1, 'tools/call', { name: 'ping', arguments: {} });
  await Promise.all([answered, warned]);
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
  const lines = said.stdout.trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { jsonrpc: string }).jsonrpc)).toEqual(lines.map(() => '2.0'));
}, 30_000);
