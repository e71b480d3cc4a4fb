import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { decision, sentence } from './readme-example.js';

test('the example of the README is code that compiles, and answers what it says', () => {
  const example = readFileSync(new URL('./readme-example.ts', import.meta.url), 'utf8');
  expect(readFileSync(new URL('../README.md', import.meta.url), 'utf8')).toContain(
    `\`\`\`ts\n${example.replaceAll('export ', '')}\`\`\``,
  );
  expect(decision).toEqual({
    allowed: false,
    code: 'resource_missing',
    reasons: [{ code: 'resource_missing', kind: 'resource', names: ['analytics'] }],
  });
  expect(example).toContain(`// '${sentence}'`);
});
