import { startOpenBao } from '@authsec/config/openbao';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeStateDirectory, removeStateDirectory, startDevProcess } from '../e2e/dev-process.js';
import { describeOpenBao } from '../integrations/vault-under-test.js';
import { findByCommand, readTree, waitForEnd } from './process-tree.js';

describeOpenBao('the OpenBao of the development stack', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await makeStateDirectory();
  });
  afterAll(() => removeStateDirectory(directory));

  const start = (...more: string[]) => startDevProcess({ directory, args: ['--vault', ...more] });
  const readKeys = () => readFile(join(directory, 'vault', 'keys.json'), 'utf8');

  test('ends with Ctrl-C; what opens it again is its owner’s only, and in no log and not in dev.json', async () => {
    const stack = start();
    const dev = await stack.ready();
    const tree = readTree(stack.pid);
    findByCommand(tree, /bao server/);
    expect((await stat(join(directory, 'vault'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'vault', 'keys.json'))).mode & 0o777).toBe(0o600);
    const { rootToken, unsealKeys } = JSON.parse(await readKeys()) as { rootToken: string; unsealKeys: string[] };
    const logs = ['manager', 'demo', 'identity-provider', 'vault', 'postgres'];
    const texts = await Promise.all(logs.map((name) => readFile(join(directory, 'logs', `${name}.log`), 'utf8')));
    for (const text of [...texts, stack.output(), JSON.stringify(dev)]) {
      expect([rootToken, ...unsealKeys].filter((secret) => text.includes(secret))).toEqual([]);
    }
    expect(await stack.interrupt()).toBe(0);
    expect(await waitForEnd(tree)).toEqual([]);
  }, 90_000);

  test.each([
    ['the OpenBao server', /^\S*bao server/],
    ['the supervisor', /^\S*node \S*dev\/main\.js/],
  ])(
    'nothing is left running after kill -9 of %s, and the next start opens what there was',
    async (_name, pattern) => {
      const before = await readKeys();
      const stack = start();
      await stack.ready();
      const tree = readTree(stack.pid);
      process.kill(findByCommand(tree, pattern).pid, 'SIGKILL');
      expect(await waitForEnd(tree)).toEqual([]);
      expect(existsSync(join(directory, 'dev.json'))).toBe(false);
      expect(await readKeys()).toBe(before);
    },
    90_000,
  );

  test('what VAULT_ADDR names is used instead, and its operator’s token stays with the supervisor', async () => {
    const standing = await startOpenBao({ mode: 'dev' });
    const { address, rootToken } = standing!;
    const env = { VAULT_ADDR: address, VAULT_TOKEN: rootToken };
    const stack = startDevProcess({ directory, args: ['--vault'], env });
    try {
      expect((await stack.ready()).vault).toEqual({ address });
      const children = readTree(stack.pid).filter(({ pid }) => pid !== stack.pid);
      expect(children.filter(({ command }) => command.join(' ').includes('bao'))).toEqual([]);
      if (process.platform === 'linux') {
        const environments = await Promise.all(children.map(({ pid }) => readFile(`/proc/${pid}/environ`, 'utf8')));
        expect(environments.filter((text) => text.includes(rootToken))).toEqual([]);
        expect(environments.filter((text) => text.includes('AUTHSEC_VAULT_ROLE_ID='))).toHaveLength(1);
      }
    } finally {
      expect(await stack.interrupt()).toBe(0);
      await standing?.stop();
    }
  }, 90_000);

  test('begins anew with --reset', async () => {
    const before = await readKeys();
    const stack = start('--reset');
    await stack.ready();
    expect(await stack.interrupt()).toBe(0);
    expect(await readKeys()).not.toBe(before);
  }, 90_000);
});
