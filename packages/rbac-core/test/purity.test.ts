import { expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('../src/', import.meta.url);
const sources = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const);

test.each(sources)('%s imports nothing from outside, and knows no clock, chance or process', (_, source) => {
  const imported = [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']*)'/g)].map(([, specifier]) => specifier);
  for (const specifier of imported) expect(specifier).toMatch(/^\.\/[a-z-]+\.js$/);
  expect(source).not.toMatch(/\b(Date|performance|process|globalThis|Math\.random|require\()\b/);
});

test('the package has no dependencies', () => {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as Record<string, unknown>;
  expect({ dependencies, peerDependencies }).toEqual({});
});
