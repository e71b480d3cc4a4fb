import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DevFile } from '../../src/dev/dev-file.js';

const script = fileURLToPath(new URL('../../../demo-mcp/test/probe-server.js', import.meta.url));

/** An MCP server beside the demo, as the same application, whose tools try what can be done with a credential. */
export interface ProbeProcess {
  readonly mcp: string;
  /** What it printed so far, on both streams. */
  output(): string;
  close(): Promise<void>;
}

export async function startProbe({ issuer, application }: DevFile['tenants'][number]): Promise<ProbeProcess> {
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      AUTHSEC_DEBUG: '1',
      AUTHSEC_ISSUER: issuer,
      AUTHSEC_CLIENT_ID: application.client_id,
      AUTHSEC_CLIENT_SECRET: application.client_secret,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close');
  const mcp = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, url] = /^ready: (\S+)$/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
    void ended.then(() => reject(new Error(`the probe ended:\n${text}`)));
  });
  return {
    mcp,
    output: () => text,
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
