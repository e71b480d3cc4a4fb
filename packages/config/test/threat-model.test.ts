import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const file = new URL('../../../docs/threat-model.md', import.meta.url);
const [, promises = ''] = readFileSync(file, 'utf8').split('## What must not be possible');
const rows = promises
  .split('## Known limits')[0]!
  .split('\n')
  .filter((line) => /^\| (?!---|what must not)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('each promise of docs/threat-model.md names tests, and they are there', () => {
  expect(rows.length).toBeGreaterThan(30);
  for (const [, promise, , tests = ''] of rows) {
    const paths = [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path);
    expect({ promise, paths }).toMatchObject({ paths: [expect.stringMatching(/\.test\.ts$/), ...paths.slice(1)] });
    for (const path of paths) {
      expect({ promise, path, exists: existsSync(fileURLToPath(new URL(path, file))) }).toMatchObject({ exists: true });
    }
  }
});
