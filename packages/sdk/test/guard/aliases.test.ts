import { describe, expect, test } from '@jest/globals';
import { createAlias, restoreAliases } from '../../src/guard/aliases.js';

describe('restoreAliases', () => {
  test.each(['x', '__proto__', 'constructor', '$&', '$1', '"', '\u0000', 'a'.repeat(200)])(
    'puts %j back in strings and keys, and keeps all else and its order',
    (original) => {
      const one = createAlias(original);
      const { alias } = one;
      const value = { b: [1, null, true, `${alias} and ${alias}`], [alias]: { a: alias }, c: 'x' };
      const expected = `{"b":[1,null,true,${JSON.stringify(`${original} and ${original}`)}],${JSON.stringify(original)}:{"a":${JSON.stringify(original)}},"c":"x"}`;
      expect(JSON.stringify(restoreAliases(value, [one]))).toBe(expected);
    },
  );

  test('changes no prototype by a name', () => {
    const one = createAlias('__proto__');
    const restored = restoreAliases({ [one.alias]: { polluted: true } }, [one]);
    expect(Object.getPrototypeOf(restored)).toBe(Object.prototype);
    expect((restored as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('leaves what is no plain JSON alone, and is the same value where nothing was hidden', () => {
    const date = new Date(0);
    const value = { date };
    expect(restoreAliases(value, [createAlias('x')]).date).toBe(date);
    expect(restoreAliases(value, [])).toBe(value);
  });

  test('of two names that were hidden at once none takes the other’s place', () => {
    const one = createAlias('two');
    const two = createAlias(one.alias);
    expect(restoreAliases({ text: `${one.alias} ${two.alias}` }, [one, two]).text.startsWith('two ')).toBe(true);
    expect(new Set(Array.from({ length: 1_000 }, () => createAlias('x').alias)).size).toBe(1_000);
  });
});
