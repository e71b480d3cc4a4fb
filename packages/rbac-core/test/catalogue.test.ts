import { describe, expect, test } from '@jest/globals';
import { type Catalogue, type Claims, validateClaims } from '../src/catalogue.js';
import type { Assignment, Holdings } from '../src/effective-grants.js';

const at = 1_000_000;
const catalogue: Catalogue = {
  roles: new Set(['admin', 'developer', 'contractor']),
  groups: new Set(['engineering', 'sales']),
  scopes: new Set(['read', 'write']),
  resources: new Set(['analytics']),
};
const holdings: Holdings = {
  roles: [
    { name: 'developer', expiresAt: null, via: { group: 'engineering' } },
    { name: 'contractor', expiresAt: at - 1_000 },
  ],
  groups: [{ name: 'engineering', expiresAt: at + 5_000 }],
  scopes: [
    { name: 'read', expiresAt: null },
    { name: 'write', expiresAt: null, via: { role: 'developer' } },
  ],
  resources: [{ name: 'analytics', expiresAt: null, via: { role: 'contractor' } }],
  rolePermissions: new Map([
    ['developer', ['projects:*']],
    ['contractor', ['invoices:write']],
    ['admin', ['*:*']],
  ]),
};
const nothing: Claims = { roles: [], groups: [], scopes: [], resources: [] };
const everything: Claims = {
  roles: ['admin', 'developer', 'contractor'],
  groups: ['engineering', 'sales'],
  scopes: ['read', 'write'],
  resources: ['analytics'],
};

function validate(claims: Partial<Claims>, held: Partial<Holdings> = {}, moment = at) {
  return validateClaims({ ...nothing, ...claims }, catalogue, { ...holdings, ...held }, moment);
}

test('effective is what is claimed, exists and is held now; the rest is dropped with its reason', () => {
  const claims = { ...everything, roles: [...everything.roles, 'superuser'] };
  expect(validate(claims)).toEqual({
    grants: {
      roles: ['developer'],
      groups: ['engineering'],
      scopes: ['read', 'write'],
      resources: [],
      permissions: ['projects:*'],
    },
    nextChangeAt: at + 5_000,
    dropped: [
      { kind: 'role', name: 'admin', reason: 'not_held' },
      { kind: 'role', name: 'contractor', reason: 'expired', expiredAt: at - 1_000 },
      { kind: 'role', name: 'superuser', reason: 'not_in_catalogue' },
      { kind: 'group', name: 'sales', reason: 'not_held' },
      { kind: 'resource', name: 'analytics', reason: 'expired', expiredAt: at - 1_000 },
    ],
  });
});

test('no claims are no grants, whatever is held, and nothing was dropped', () => {
  expect(validate({})).toEqual({
    grants: { roles: [], groups: [], scopes: [], resources: [], permissions: [] },
    nextChangeAt: null,
    dropped: [],
  });
});

test('a claim that the tenant does not have gives nothing, also where a row of that name is held', () => {
  const ghost: Assignment = { name: 'ghost', expiresAt: null };
  const { grants, dropped } = validate(
    { roles: ['ghost'], scopes: ['read'] },
    {
      roles: [ghost],
      scopes: [{ name: 'read', expiresAt: null, via: { role: 'ghost' } }],
      rolePermissions: new Map([['ghost', ['*:*']]]),
    },
  );
  expect(grants).toMatchObject({ roles: [], scopes: [], permissions: [] });
  expect(dropped).toEqual([
    { kind: 'role', name: 'ghost', reason: 'not_in_catalogue' },
    { kind: 'scope', name: 'read', reason: 'not_held' },
  ]);
});

describe('what came by a group', () => {
  test('falls away when the group is not claimed', () => {
    expect(validate({ ...everything, groups: [] })).toMatchObject({
      grants: { roles: [], groups: [], scopes: ['read'], permissions: [] },
      dropped: expect.arrayContaining([
        { kind: 'role', name: 'developer', reason: 'not_held' },
        { kind: 'scope', name: 'write', reason: 'not_held' },
      ]),
    });
  });

  test('falls away when the membership expired, and says when', () => {
    const result = validate({ groups: ['engineering'], roles: ['developer'], scopes: ['write'] }, {}, at + 5_000);
    expect(result.grants).toMatchObject({ roles: [], groups: [], scopes: [], permissions: [] });
    expect(result.dropped).toEqual([
      { kind: 'role', name: 'developer', reason: 'expired', expiredAt: at + 5_000 },
      { kind: 'group', name: 'engineering', reason: 'expired', expiredAt: at + 5_000 },
      { kind: 'scope', name: 'write', reason: 'expired', expiredAt: at + 5_000 },
    ]);
  });

  test('stays when it is held otherwise too', () => {
    const roles = [...holdings.roles, { name: 'developer', expiresAt: null }];
    expect(validate({ roles: ['developer'], scopes: ['write'] }, { roles }).grants).toMatchObject({
      roles: ['developer'],
      scopes: ['write'],
    });
  });
});

test('what expired twice expired when the later of the two did', () => {
  const roles = [at - 9, at - 3, at - 7].map((expiresAt) => ({ name: 'admin', expiresAt }));
  expect(validate({ roles: ['admin'] }, { roles }).dropped).toEqual([
    { kind: 'role', name: 'admin', reason: 'expired', expiredAt: at - 3 },
  ]);
});

test('permissions are never claimed: they come from the effective roles alone', () => {
  const claims = { ...nothing, permissions: ['*:*', 'authsec:*:*'] } as Claims;
  expect(validateClaims(claims, catalogue, holdings, at).grants.permissions).toEqual([]);
});

test('a name of one kind claims nothing of another', () => {
  expect(validate({ roles: ['engineering', 'read'], scopes: ['developer'] }).grants).toMatchObject({
    roles: [],
    scopes: [],
  });
});

test('a name claimed twice is dropped once, and the order of the claims does not matter', () => {
  const one = validate({ roles: ['x', 'admin', 'x'] });
  expect(one.dropped.map(({ name }) => name)).toEqual(['admin', 'x']);
  expect(validate({ roles: ['admin', 'x'] })).toEqual(one);
});

test('names found on every object are ordinary names', () => {
  const roles = ['__proto__', 'constructor', 'toString'];
  expect(validate({ roles }).dropped.map(({ reason }) => reason)).toEqual(Array(3).fill('not_in_catalogue'));
  const named = { ...catalogue, roles: new Set(roles) };
  const rows = [{ name: '__proto__', expiresAt: null }];
  const { grants, dropped } = validateClaims({ ...nothing, roles }, named, { ...holdings, roles: rows }, at);
  expect(grants.roles).toEqual(['__proto__']);
  expect(dropped.map(({ reason }) => reason)).toEqual(['not_held', 'not_held']);
});

test('claims that are not lists of strings are a TypeError naming the claim', () => {
  expect(() => validate({ roles: 'admin' as unknown as string[] })).toThrow(/claims\.roles/);
  expect(() => validate({ groups: undefined })).toThrow(/claims\.groups/);
  expect(() => validate({ scopes: [['read']] as unknown as string[] })).toThrow(/claims\.scopes/);
});
