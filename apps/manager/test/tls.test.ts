import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from './commands/run-command.js';
import { createCertificate } from './support/certificate.js';
import { type ManagerProcess, startManager } from './support/start-manager.js';
import { createTestManager, type TestManager } from './support/test-manager.js';

let manager: TestManager;
let folder: string;
let env: Record<string, string>;
let child: ManagerProcess | undefined;

beforeAll(async () => {
  manager = await createTestManager();
  folder = await mkdtemp(join(tmpdir(), 'authsec-tls-'));
  env = {
    ...manager.env,
    AUTHSEC_TLS_CERT_FILE: join(folder, 'cert.pem'),
    AUTHSEC_TLS_KEY_FILE: join(folder, 'key.pem'),
  };
});
afterEach(() => void child?.process.kill('SIGKILL'));
afterAll(async () => {
  await manager.close();
  await rm(folder, { recursive: true });
});

async function writeCertificate(name: string): Promise<void> {
  const { certificate, private_key } = createCertificate(name);
  await writeFile(join(folder, 'cert.pem'), certificate);
  await writeFile(join(folder, 'key.pem'), private_key);
}

function shownOn(port: number): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('TLS by itself', () => {
  test('a renewed certificate is shown after SIGHUP, and a broken one leaves the old in place', async () => {
    await writeCertificate('first.test');
    child = startManager(env);
    const port = await child.port;
    expect((await shownOn(port)).subject.CN).toBe('first.test');
    expect((await run(['healthcheck'], { ...env, AUTHSEC_PORT: String(port) })).code).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');

    await writeCertificate('second.test');
    let read = child.logged('the TLS certificate was read again');
    child.process.kill('SIGHUP');
    await read;
    expect((await shownOn(port)).subject.CN).toBe('second.test');

    await writeFile(join(folder, 'key.pem'), createCertificate('other').private_key);
    read = child.logged('could not be read again');
    child.process.kill('SIGHUP');
    await read;
    expect((await shownOn(port)).subject.CN).toBe('second.test');
  });

  test('does not start on a certificate and the key of another', async () => {
    await writeCertificate('first.test');
    await writeFile(join(folder, 'key.pem'), createCertificate('other').private_key);
    child = startManager(env);
    expect(await child.exited).toBe(1);
    expect(child.output()).toMatch(/AUTHSEC_TLS_CERT_FILE, AUTHSEC_TLS_KEY_FILE: no certificate and its key/);
    expect(child.output()).not.toContain('PRIVATE KEY');
  });
});
