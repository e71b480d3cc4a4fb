import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ManagerProcess, startManager } from './support/start-manager.js';
import { createTestApplication, type TestApplication } from './support/test-data.js';
import { createTestManager, type TestManager } from './support/test-manager.js';

let manager: TestManager;
let application: TestApplication;
let child: ChildProcess | undefined;

beforeAll(async () => {
  manager = await createTestManager();
  application = await createTestApplication(await manager.createTenant());
});
afterEach(() => {
  child?.kill('SIGKILL');
});
afterAll(() => manager.close());

/** The Manager as a process of its own on the databases of the test. */
function start(env: Record<string, string> = {}): ManagerProcess {
  const started = startManager({ ...manager.env, ...env });
  child = started.process;
  return started;
}

describe('stopping', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s answers what waits, then ends with 0', async (signal) => {
    const one = start();
    const url = `http://127.0.0.1:${await one.port}/v1/changes`;
    const headers = { authorization: await application.bearer() };
    const { cursor } = (await (await fetch(url, { headers })).json()) as { cursor: string };
    const polls = [1, 2].map(() => fetch(`${url}?after=${cursor}&wait=25`, { headers }));
    // Both requests are with the server once a third one, sent after them, was answered.
    await fetch(url, { headers });
    one.process.kill(signal);
    expect((await Promise.all(polls)).map((answer) => answer.status)).toEqual([200, 200]);
    expect(await one.exited).toBe(0);
    const lines = one
      .output()
      .split('\n')
      .filter((line) => /"msg":"stop/.test(line));
    const [stopping, stopped] = lines.map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
    // The connections are kept alive by the client: waiting for it would take the whole grace of 10 s.
    expect(stopped! - stopping!).toBeLessThan(8_000);
  });

  test('the end of standard input, where that was asked for', async () => {
    const one = start({ AUTHSEC_STOP_ON_STDIN_END: '1' });
    await one.port;
    one.process.stdin?.end();
    expect(await one.exited).toBe(0);
  });
});

describe('not starting', () => {
  test('all problems of the settings at once, without a value of them', async () => {
    const one = start({ AUTHSEC_PORT: 'secret-port', AUTHSEC_SEALING_KEYS: 'secret-key', AUTHSEC_URL: '' });
    expect(await one.exited).toBe(1);
    expect(one.output()).toMatch(/AUTHSEC_PORT.*\n.*AUTHSEC_SEALING_KEYS|AUTHSEC_SEALING_KEYS.*\n.*AUTHSEC_PORT/);
    expect(one.output()).toContain('AUTHSEC_URL: is required');
    expect(one.output()).not.toMatch(/secret-(port|key)/);
  });

  test('a master database that is away, without its password', async () => {
    const one = start({ AUTHSEC_DATABASE_URL: 'postgresql://u:secret-password@127.0.0.1:1/x' });
    expect(await one.exited).toBe(1);
    expect(one.output()).toContain('could not start');
    expect(one.output()).not.toContain('secret-password');
  });
});
