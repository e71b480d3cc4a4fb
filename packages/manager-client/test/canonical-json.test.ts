import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../src/contract.js';

describe('canonical JSON', () => {
  test('is what RFC 8785 gives for its own example', () => {
    const value = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`) as unknown;
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('puts names in the order of their UTF-16 code units (RFC 8785 3.2.3)', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const value = Object.fromEntries(names.map((name) => [name, name.length]));
    const ordered = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object).sort()).toEqual([...names].sort());
    const places = ordered.map((name) => canonicalJson(value).indexOf(`${JSON.stringify(name)}:`));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test('does not depend on the order of members, at any depth, and does on that of elements', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: {} })).toBe(canonicalJson({ a: {}, b: [{ c: 2, d: 1 }] }));
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson(-0)).toBe('0');
  });

  test('keeps names like __proto__ and constructor as the data that they are', () => {
    const value = JSON.parse('{"constructor":1,"__proto__":{"x":2}}') as unknown;
    expect(canonicalJson(value)).toBe('{"__proto__":{"x":2},"constructor":1}');
  });

  test.each([[undefined], [NaN], [Infinity], ['\ud800'], [{ '\udc00': 1 }], [{ a: undefined }], [() => 1], [1n]])(
    'refuses what is no JSON value: %p',
    (value) => {
      expect(() => canonicalJson(value)).toThrow(TypeError);
    },
  );
});
