import { createServer } from 'node:http';
import { createDemoApp } from './app.js';
import { loadConfig } from './config.js';

const config = loadConfig(process.env);
const { app, close } = createDemoApp(config);
const server = createServer(app);

server.once('error', (error) => {
  console.error(`The demo MCP server cannot listen on ${config.host}:${config.port}: ${error.message}`);
  process.exit(1);
});
server.listen(config.port, config.host, () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : config.port;
  for (const { tenant } of config.endpoints) console.log(`ready: http://${config.host}:${port}/t/${tenant}/mcp`);
});

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  server.close();
  await close();
  server.closeAllConnections();
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
if (config.stopOnStdinEnd) process.stdin.resume().once('end', () => void stop());
