import { expect, test } from '@jest/globals';
import { compileRequirement } from '../src/compile-requirement.js';
import { decide } from '../src/decide.js';
import { explain, explainReasons } from '../src/explain.js';
import { createPrincipal } from '../src/principal.js';
import { type Requirement, allOf, anyOf, role, scope } from '../src/requirement.js';

const principal = createPrincipal({ roles: ['dev'], groups: [], scopes: [], resources: [], permissions: [] });

function decideOn(requirement: Requirement) {
  return decide(principal, compileRequirement(requirement));
}

test('an allow is one short sentence', () => {
  expect(explain(decideOn({ roles: ['dev'] }))).toBe('Allowed.');
  expect(explain(decideOn({}), { subject: 'ann@acme.test', target: 'hello' })).toBe(
    '"hello" is allowed to "ann@acme.test".',
  );
});

test('a deny says the code and all that is missing', () => {
  const decision = decideOn({ roles: ['admin'], permissions: ['a:b', 'c:d'], requireAll: true });
  expect(explain(decision, { subject: 'ann', target: 'admin_dashboard' })).toBe(
    '"admin_dashboard" is denied to "ann" (requirement_not_met). ' +
      'Missing: the role "admin". Missing: one of the permissions "a:b", "c:d".',
  );
  expect(explainReasons(decision)).toEqual([
    'Missing: the role "admin".',
    'Missing: one of the permissions "a:b", "c:d".',
  ]);
});

test('alternatives are told apart', () => {
  const decision = decideOn(anyOf(role('admin'), allOf(role('dev'), scope('write'), role('lead'))));
  expect(explain(decision)).toBe(
    'Denied (requirement_not_met). Missing: the role "admin" or (the scope "write" and the role "lead").',
  );
});

test('a name cannot break the line, close its quotes or turn the text around', () => {
  const sentence = explain(decideOn({ roles: ['a"\n\\\u202e\u2028\u0000\ud800b'] }));
  expect(sentence).toBe(
    'Denied (role_missing). Missing: the role "a\\u{22}\\u{a}\\u{5c}\\u{202e}\\u{2028}\\u{0}\\u{d800}b".',
  );
});

test('long names and lists are cut', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `role-${i}-${'x'.repeat(1_000)}`);
  const sentence = explain(decideOn({ roles: names }));
  expect(sentence).toMatch(/, 9990 more\.$/);
  expect(sentence.length).toBeLessThan(2_000);
});
