import { expect, test } from '@jest/globals';
import { covers } from '../src/covers.js';
import { decide } from '../src/decide.js';
import { compileRequirement } from '../src/compile-requirement.js';
import { createPrincipal } from '../src/principal.js';
import { readVectors } from './read-vectors.js';

const vectors = readVectors('covers') as { granted: string; required: string; covers: boolean }[];

test('a grant covers what the vectors say, and nothing else', () => {
  const answers = vectors.map(({ granted, required }) => ({ granted, required, covers: covers(granted, required) }));
  expect(answers).toEqual(vectors);
});

test('a principal holds what its grants cover', () => {
  const compilable = vectors.filter(({ required }) => /^[^:*]+(:[^:*]+)+$/.test(required));
  expect(compilable.length).toBeGreaterThan(40);
  for (const { granted, required, covers: covered } of compilable) {
    const permissions = ['unrelated:thing', granted, 'other:*'];
    const principal = createPrincipal({ roles: [], groups: [], scopes: [], resources: [], permissions });
    const { allowed } = decide(principal, compileRequirement({ permissions: [required] }));
    expect({ granted, required, allowed }).toEqual({ granted, required, allowed: covered });
  }
});
