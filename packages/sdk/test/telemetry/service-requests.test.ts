import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ServiceCredential } from '@authsec/manager-client';
import { expect, test } from '@jest/globals';
import { callContext } from '../../src/index.js';
import { createTestManager } from '../../src/testing.js';

const canary = 'canary-key-1234567890';

/** As @opentelemetry/instrumentation-undici does. */
function recordRequest(message: unknown): void {
  const { request } = message as { request: { origin: string; path: string } };
  const attributes = { 'url.full': `${request.origin}${request.path}` };
  trace.getTracer('instrumentation').startSpan('GET', { attributes }).end();
}

test('a key that goes in the query stands in no span of an instrumentation; other requests have theirs', async () => {
  const spans = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  subscribe('undici:request:create', recordRequest);
  const asked: string[] = [];
  const listening = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end('ok');
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const at = (credential: ServiceCredential) => ({ credential, baseUrl, allowPrivateAddresses: true });
  const manager = await createTestManager({
    people: { ada: {} },
    services: {
      maps: at({ type: 'query', name: 'key', value: canary }),
      github: at({ type: 'bearer', token: canary }),
    },
  });
  const server = new McpServer({ name: 'acme', version: '1.0.0' });
  server.registerTool('work', {}, async () => {
    for (const name of ['maps', 'github']) {
      const fetch = await callContext().services.fetch(name);
      await fetch(`of-${name}`);
    }
    return { content: [] };
  });
  const client = await manager.connect(manager.authsec().protect(server), 'ada');
  expect(await client.callTool({ name: 'work' })).toEqual({ content: [] });
  const written = JSON.stringify(spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes]));
  expect(asked).toEqual([`/of-maps?key=${canary}`, '/of-github']);
  expect(written).not.toContain(canary);
  expect(written).toContain('/of-github');

  await manager.close();
  unsubscribe('undici:request:create', recordRequest);
  listening.closeAllConnections();
  await new Promise((resolve) => listening.close(resolve));
});
