// oxlint-disable unicorn/require-post-message-target-origin, unicorn/prefer-add-event-listener -- threads and transports, not windows
// `tools/call` through the guard against without it, in memory, the two taken in turns. Each is in a thread of its own,
// since on Node 20 AsyncLocalStorage, once used, slows every promise of its thread: that is a cost of the guard's.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { createPrincipal } from '../packages/rbac-core/dist/index.js';
import { protectServer } from '../packages/sdk/dist/protect-server.js';

// The MCP SDK is the sdk package's, not the root's.
const { resolve } = createRequire(new URL('../packages/sdk/package.json', import.meta.url));
const load = (specifier) => import(pathToFileURL(resolve(specifier).replace('/dist/cjs/', '/dist/esm/')).href);

const calls = 20_000;
const rounds = 7;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const grants = { roles: ['admin'], groups: [], scopes: [], resources: [], permissions: [] };
const { permissions: _, ...held } = grants;
const state = {
  kind: 'active',
  principal: createPrincipal(grants),
  userInfo: { email: 'ada@acme.test', sub: 'ada', tenant_id: 'acme', ...held },
};
const session = {
  state: () => state,
  onChange: () => () => {},
  oauthTools: [],
  callOAuthTool: async () => ({ content: [] }),
  close: async () => {},
};

async function connect(isGuarded) {
  const { McpServer } = await load('@modelcontextprotocol/sdk/server/mcp.js');
  const { InMemoryTransport } = await load('@modelcontextprotocol/sdk/inMemory.js');
  const { z } = await load('zod');
  const server = new McpServer({ name: 'benchmark', version: '1.0.0' });
  server.registerTool('calculator', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  if (isGuarded) {
    protectServer(server, {
      tools: { calculator: { roles: ['admin'] } },
      logger: silent,
      createSession: () => session,
    });
  }
  const [client, transport] = InMemoryTransport.createLinkedPair();
  let answered = () => {};
  client.onmessage = (message) => answered(message);
  await server.connect(transport);
  return {
    close: () => server.close(),
    /** Microseconds a call, each awaited. */
    async measure() {
      const start = performance.now();
      for (let id = 0; id < calls; id += 1) {
        const answer = new Promise((done) => (answered = done));
        const params = { name: 'calculator', arguments: { a: id, b: 1 } };
        void client.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
        const { result } = await answer;
        if (result?.content?.[0]?.text !== String(id + 1)) throw new Error('the call was not answered');
      }
      return ((performance.now() - start) * 1_000) / calls;
    },
  };
}

function startThread(isGuarded) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { isGuarded } });
  return {
    async measure() {
      worker.postMessage('measure');
      const [microseconds] = await once(worker, 'message');
      return microseconds;
    },
    stop: () => worker.terminate(),
  };
}

export async function benchmarkToolsCall() {
  const bare = startThread(false);
  const guarded = startThread(true);
  const best = { bare: Infinity, guarded: Infinity };
  for (let round = 0; round < rounds; round += 1) {
    best.bare = Math.min(best.bare, await bare.measure());
    best.guarded = Math.min(best.guarded, await guarded.measure());
  }
  await Promise.all([bare.stop(), guarded.stop()]);
  return { bareMicroseconds: best.bare, guardedMicroseconds: best.guarded, ratio: best.guarded / best.bare };
}

export function printToolsCall({ bareMicroseconds, guardedMicroseconds, ratio }) {
  console.log('tools/call in memory, each call awaited (the best of the rounds)');
  console.table({
    'without the guard': { 'µs a call': Number(bareMicroseconds.toFixed(1)), ratio: 1 },
    'through the guard': { 'µs a call': Number(guardedMicroseconds.toFixed(1)), ratio: Number(ratio.toFixed(2)) },
  });
}

if (!isMainThread) {
  const connection = await connect(workerData.isGuarded);
  parentPort.on('message', () => void connection.measure().then((took) => parentPort.postMessage(took)));
} else if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  printToolsCall(await benchmarkToolsCall());
}
