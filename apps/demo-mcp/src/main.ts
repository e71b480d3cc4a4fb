#!/usr/bin/env node
import { startTelemetry } from './telemetry.js';

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

const telemetry = await startTelemetry(process.env).catch(fail);

/** Standard output is the MCP client's on stdio: whatever is to be read by people goes to standard error there. */
const onStdio = process.argv.includes('--stdio');
const { serve } = onStdio ? await import('./serve-stdio.js') : await import('./serve-http.js');

const running = await serve(process.env, (line) => console.log(line)).catch(fail);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await running.stop();
  await telemetry.stop();
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
if (running.stopsWithStdin) process.stdin.resume().once('end', () => void stop());
