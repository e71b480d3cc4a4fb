import { describe, expect, test } from '@jest/globals';
import { compileRequirement } from '../src/compile-requirement.js';
import { PolicyError } from '../src/policy-error.js';
import { type Requirement, allOf, anyOf, group, permission, resource, role, scope } from '../src/requirement.js';
import { readVectors } from './read-vectors.js';

function errorOf(requirement: unknown): PolicyError {
  try {
    compileRequirement(requirement as Requirement);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error(`compiled: ${String(requirement)}`);
}

function nested(depth: number): unknown {
  let expression: unknown = { role: 'a' };
  for (let i = 1; i < depth; i += 1) expression = { [i % 2 === 0 ? 'allOf' : 'anyOf']: [expression] };
  return expression;
}

test('what is not a requirement is refused with its code and path, as the vectors say', () => {
  for (const vector of readVectors('invalid-requirements') as { requirement: unknown; code: string; path: string }[]) {
    const { code, path, message } = errorOf(vector.requirement);
    expect({ requirement: vector.requirement, code, path }).toEqual(vector);
    expect(message).toContain(path);
  }
});

describe('two or more lists without requireAll', () => {
  test('are ambiguous, and the message says what to write', () => {
    const error = errorOf({ roles: ['a'], permissions: ['a:b'] });
    expect(error.code).toBe('ambiguous_requirement');
    expect(error.message).toMatch(/roles, permissions.*requireAll: true.*requireAll: false/);
  });

  test('stay ambiguous with a requireAll of undefined', () => {
    expect(errorOf({ roles: ['a'], scopes: ['b'], requireAll: undefined }).code).toBe('ambiguous_requirement');
  });
});

describe('what only looks like an empty requirement is refused, not taken for any signed-in person', () => {
  class Options {
    readonly #roles = ['admin'];
    get roles() {
      return this.#roles;
    }
  }
  test.each([
    ['a list that is undefined', { roles: undefined }],
    ['a promise', Promise.resolve({ roles: ['admin'] })],
    ['a Map', new Map([['roles', ['admin']]])],
    ['a function', () => ({ roles: ['admin'] })],
    ['an instance of a class', new Options()],
    ['an object that inherits its lists', Object.create({ roles: ['admin'] })],
    ['a compiled requirement', compileRequirement({ roles: ['admin'] })],
    ['keys that are symbols', { [Symbol('roles')]: ['admin'] }],
    ['a key that is not enumerable', Object.defineProperty({}, 'rolez', { value: ['admin'] })],
    ['undefined', undefined],
  ])('%s', (_, requirement) => {
    expect(errorOf(requirement).code).toBe('invalid_requirement');
  });

  test('a list with a hole', () => {
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
    expect(errorOf({ roles: ['a', , 'b'] }).path).toBe('roles[1]');
  });
});

describe('JSON with names that objects have by themselves', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('the key %s is an unknown key', (key) => {
    for (const json of [
      `{"${key}": {"roles": ["a"]}}`,
      `{"roles": ["a"], "${key}": ["b"]}`,
      `{"allOf": [{"${key}": "a"}]}`,
    ]) {
      expect(errorOf(JSON.parse(json)).code).toBe('invalid_requirement');
    }
    expect(({} as Record<string, unknown>)['roles']).toBeUndefined();
  });
});

describe('limits', () => {
  test('32 deep is taken, 33 refused, and so is an expression that contains itself', () => {
    expect(compileRequirement(nested(32) as Requirement)).toBeDefined();
    expect(errorOf(nested(33)).code).toBe('invalid_requirement');
    expect(errorOf(nested(33)).message).toContain('32');
    const endless: { anyOf: unknown[] } = { anyOf: [] };
    endless.anyOf.push(endless);
    expect(errorOf(endless).code).toBe('invalid_requirement');
  });

  test('10,000 nodes are taken, one more refused', () => {
    const roles = (count: number) => Array.from({ length: count }, (_, i) => `r${i}`);
    const leaves = (count: number) => roles(count).map((name) => role(name));
    expect(compileRequirement({ roles: roles(10_000) })).toBeDefined();
    expect(errorOf({ roles: roles(10_001) }).code).toBe('invalid_requirement');
    expect(errorOf({ roles: roles(5_000), scopes: roles(5_001), requireAll: true }).code).toBe('invalid_requirement');
    expect(compileRequirement(anyOf(...leaves(9_999)))).toBeDefined();
    expect(errorOf(anyOf(...leaves(10_000))).code).toBe('invalid_requirement');
  });

  test('an expression that shares its parts is counted as often as it is walked', () => {
    let expression = role('a');
    for (let i = 0; i < 30; i += 1) expression = allOf(expression, expression);
    expect(errorOf(expression).message).toContain('10000');
  });

  test('a long key is cut in the message', () => {
    expect(errorOf({ ['x'.repeat(100_000)]: ['a'] }).message.length).toBeLessThan(300);
  });
});

describe('the source of a compiled requirement', () => {
  test('is the requirement as JSON, and compiles to the same again', () => {
    const requirement = allOf(
      role('admin'),
      anyOf(scope('write'), permission('invoice:delete'), group('g'), resource('r')),
    );
    const compiled = compileRequirement(requirement);
    expect(JSON.parse(JSON.stringify(compiled))).toEqual({
      allOf: [
        { role: 'admin' },
        { anyOf: [{ scope: 'write' }, { permission: 'invoice:delete' }, { group: 'g' }, { resource: 'r' }] },
      ],
    });
    expect(compileRequirement(compiled.source)).toEqual(compiled);
    const lists = { roles: ['a', 'a'], scopes: ['b'], requireAll: false };
    expect(compileRequirement(lists).source).toEqual(lists);
    expect(compileRequirement({}).source).toEqual({});
  });

  test('does not change with what it was made from', () => {
    const requirement = { roles: ['admin'] };
    const compiled = compileRequirement(requirement);
    requirement.roles.push('everyone');
    expect(compiled.source).toEqual({ roles: ['admin'] });
    expect(Object.isFrozen(compiled.source)).toBe(true);
  });

  test('each value is read once, so that a getter cannot show one thing and mean another', () => {
    let reads = 0;
    const requirement = {
      get roles() {
        reads += 1;
        return reads === 1 ? ['admin'] : ['everyone'];
      },
    };
    expect(compileRequirement(requirement).source).toEqual({ roles: ['admin'] });
    expect(reads).toBe(1);
  });
});
