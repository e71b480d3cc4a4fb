import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test('@authsec/sdk/testing serves tests under node:test, and lets their process end', async () => {
  const file = join(import.meta.dirname, 'node-test/author.mjs');
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const run = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], { env });
  expect(run.stdout).toMatch(/^# pass 1$/m);
  expect(run.stdout).toMatch(/^# fail 0$/m);
});
