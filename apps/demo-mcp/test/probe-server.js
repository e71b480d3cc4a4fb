// An MCP server whose tools try what a service's credential can be made to do: the end-to-end tests and benchmarks start
// it beside the demo, as the same application. Prints `ready: <url>`, and ends when its standard input does.
import { format, inspect } from 'node:util';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { authsec, callContext } from '@authsec/sdk';
import { createMcpRouter } from '@authsec/sdk/express';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import express from 'express';
import { z } from 'zod';

const { AUTHSEC_ISSUER: issuer, AUTHSEC_CLIENT_ID: clientId, AUTHSEC_CLIENT_SECRET: clientSecret } = process.env;
const protection = authsec({ issuer, clientId, clientSecret });
const service = z.string();

const tools = {
  /** What the service answers, in full. */
  fetch_service: {
    inputSchema: {
      service,
      path: z.string().default('/'),
      method: z.string().default('GET'),
      body: z.string().optional(),
    },
    async handler({ service, path, method, body }) {
      const fetchIt = await callContext().services.fetch(service);
      const response = await fetchIt(path, { method, body });
      const headers = Object.fromEntries(response.headers);
      return { status: response.status, headers, body: await response.text() };
    },
  },
  /** Fetches, waits until `gate` answers, and gets the service once more. */
  fetch_twice: {
    inputSchema: { service, path: z.string(), gate: z.url() },
    async handler({ service, path, gate }) {
      const { services } = callContext();
      const first = await (await services.fetch(service))(path);
      await fetch(gate);
      const second = await (await services.fetch(service))(path);
      return { first: first.status, second: second.status };
    },
  },
  /** Throws what the service answered. */
  fail_with_answer: {
    inputSchema: { service, path: z.string().default('/') },
    async handler({ service, path }) {
      const response = await (await callContext().services.fetch(service))(path);
      const text = await response.text();
      console.error('failing with', text);
      throw new Error(`the service said: ${text}`);
    },
  },
  /** Prints the raw credential in every way that does not ask for its values. */
  print_credential: {
    inputSchema: { service },
    async handler({ service }) {
      const credential = await callContext().services.credential(service);
      const ways = [
        format('%s', credential),
        JSON.stringify(credential),
        inspect(credential, { depth: 9, showHidden: true }),
      ];
      console.log(...ways, credential);
      console.error('%s %j %o', credential, credential, credential);
      return { ways };
    },
  },
  /** Hands out the raw value on purpose, which only the guard stops. */
  tell_credential: {
    inputSchema: { service },
    async handler({ service }) {
      const value = (await callContext().services.credential(service)).reveal();
      return { told: value, encoded: Buffer.from(JSON.stringify(value)).toString('base64') };
    },
  },
  hello: { inputSchema: {}, handler: async () => ({ hello: true }) },
};

function createProbe() {
  const server = new McpServer({ name: 'probe', version: '1.0.0' });
  for (const [name, { inputSchema, handler }] of Object.entries(tools)) {
    server.registerTool(name, { inputSchema }, async (args) => {
      const answer = await handler(args);
      return { structuredContent: answer, content: [{ type: 'text', text: JSON.stringify(answer) }] };
    });
  }
  return protection.protect(server, { tools: Object.fromEntries(Object.keys(tools).map((name) => [name, {}])) });
}

const app = express();
const router = createMcpRouter({ createServer: createProbe });
app.use('/mcp', router);
const server = createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`ready: http://127.0.0.1:${server.address().port}/mcp`);
await once(process.stdin.resume(), 'end');
await router.close();
await protection.close();
process.exit(0);
