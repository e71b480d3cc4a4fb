import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');
const tsc = join(root, 'node_modules/typescript/bin/tsc');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, '../.readme-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function examples(file: string): Promise<string[]> {
  const markdown = await readFile(join(root, file), 'utf8');
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

describe('the examples that readers copy', () => {
  test.each(['README.md', 'packages/sdk/README.md', 'docs/from-python.md'])(
    '%s compiles under strict',
    async (file) => {
      const sources = await examples(file);
      expect(sources.length).toBeGreaterThan(0);
      const paths = await Promise.all(
        sources.map(async (source, index) => {
          const path = join(folder, `${file.replaceAll('/', '-')}-${index}.ts`);
          await writeFile(path, source);
          return path;
        }),
      );
      const options = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--target',
        'es2023',
        '--types',
        'node',
        '--ignoreConfig',
      ];
      const run = promisify(execFile)(process.execPath, [tsc, ...options, ...paths], { cwd: folder });
      await expect(
        run.then(
          () => 'compiles',
          (error: { stdout: string }) => error.stdout,
        ),
      ).resolves.toBe('compiles');
    },
    120_000,
  );
});
