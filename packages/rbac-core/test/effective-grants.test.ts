import { describe, expect, test } from '@jest/globals';
import { type Assignment, type Bounds, type Holdings, effectiveGrants } from '../src/effective-grants.js';

const at = 1_000_000;
const allHeld: Bounds = { roles: 'held', groups: 'held', scopes: 'held', resources: 'held' };
const none: Holdings = { roles: [], groups: [], scopes: [], resources: [], rolePermissions: new Map() };

function held(name: string, via?: Assignment['via'], expiresAt: number | null = null): Assignment {
  return via === undefined ? { name, expiresAt } : { name, expiresAt, via };
}
function grantsOf(holdings: Partial<Holdings>, bounds: Partial<Bounds> = {}, moment = at) {
  return effectiveGrants({ ...none, ...holdings }, { ...allHeld, ...bounds }, moment);
}

test('no holdings are no grants, and nothing will change', () => {
  expect(grantsOf({})).toEqual({
    grants: { roles: [], groups: [], scopes: [], resources: [], permissions: [] },
    nextChangeAt: null,
  });
});

test('grants are sorted, each once, however often they are held', () => {
  const holdings = {
    groups: [held('staff'), held('all')],
    roles: [held('b'), held('a', { group: 'staff' }), held('a', { group: 'all' }), held('b')],
    scopes: [held('read', { role: 'b' }), held('read')],
    resources: [held('z', { group: 'all' }), held('y', { role: 'a' })],
    rolePermissions: new Map([
      ['b', ['x:write', 'x:read']],
      ['a', ['x:read']],
      ['other', ['x:delete']],
    ]),
  };
  expect(grantsOf(holdings).grants).toEqual({
    roles: ['a', 'b'],
    groups: ['all', 'staff'],
    scopes: ['read'],
    resources: ['y', 'z'],
    permissions: ['x:read', 'x:write'],
  });
});

describe('time', () => {
  test('an assignment counts until the millisecond before it expires', () => {
    const roles = [held('admin', undefined, at)];
    expect(grantsOf({ roles }, {}, at - 1)).toMatchObject({ grants: { roles: ['admin'] }, nextChangeAt: at });
    expect(grantsOf({ roles }, {}, at)).toMatchObject({ grants: { roles: [] }, nextChangeAt: null });
    expect(grantsOf({ roles }, {}, at + 1)).toMatchObject({ grants: { roles: [] }, nextChangeAt: null });
  });

  test('the next change is the first moment at which a grant falls away', () => {
    const roles = [held('a', undefined, at + 300), held('b', undefined, at + 200), held('gone', undefined, at - 5)];
    expect(grantsOf({ roles }).nextChangeAt).toBe(at + 200);
    const groups = [held('g', undefined, at + 100)];
    expect(grantsOf({ groups, roles: [...roles, held('c', { group: 'g' })] }).nextChangeAt).toBe(at + 100);
  });

  test('what is held twice falls away with the later, and never when one of them stays', () => {
    expect(grantsOf({ scopes: [held('s', undefined, at + 1), held('s', undefined, at + 2)] }).nextChangeAt).toBe(
      at + 2,
    );
    expect(grantsOf({ scopes: [held('s', undefined, at + 1), held('s')] }).nextChangeAt).toBeNull();
  });

  test('a moment that is not a number is a TypeError, never a yes', () => {
    for (const moment of [NaN, Infinity, '5' as unknown as number]) {
      expect(() => grantsOf({ roles: [held('admin', undefined, 0)] }, {}, moment)).toThrow(TypeError);
    }
  });

  test('an expiry that is not a number gives nothing', () => {
    const roles = [held('a', undefined, NaN), { name: 'b' } as Assignment];
    expect(grantsOf({ roles }).grants.roles).toEqual([]);
  });
});

describe('what something came by', () => {
  const holdings = {
    groups: [held('staff', undefined, at)],
    roles: [held('developer', { group: 'staff' }), held('writer', { group: 'staff' }), held('writer')],
    scopes: [
      held('deploy', { role: 'developer' }),
      held('write', { role: 'writer' }),
      held('read', { group: 'staff' }),
    ],
    resources: [held('servers', { role: 'developer' }), held('wiki', { group: 'staff' }), held('blog')],
    rolePermissions: new Map([
      ['developer', ['servers:restart']],
      ['writer', ['blog:write']],
    ]),
  };

  test('a group that expires takes roles, scopes, resources and permissions that came only by it', () => {
    expect(grantsOf(holdings, {}, at - 1).grants).toEqual({
      roles: ['developer', 'writer'],
      groups: ['staff'],
      scopes: ['deploy', 'read', 'write'],
      resources: ['blog', 'servers', 'wiki'],
      permissions: ['blog:write', 'servers:restart'],
    });
    expect(grantsOf(holdings, {}, at).grants).toEqual({
      roles: ['writer'],
      groups: [],
      scopes: ['write'],
      resources: ['blog'],
      permissions: ['blog:write'],
    });
  });

  test('a group outside its bound takes the same', () => {
    expect(grantsOf(holdings, { groups: [] }, at - 1)).toEqual(grantsOf(holdings, {}, at));
  });

  test('a role outside its bound takes its scopes, resources and permissions', () => {
    expect(grantsOf(holdings, { roles: ['writer'] }, at - 1).grants).toEqual({
      roles: ['writer'],
      groups: ['staff'],
      scopes: ['read', 'write'],
      resources: ['blog', 'wiki'],
      permissions: ['blog:write'],
    });
  });

  test('a row that outlasts its origin falls away with it, one that does not falls away by itself', () => {
    const groups = [held('g', undefined, at + 10)];
    expect(grantsOf({ groups, roles: [held('r', { group: 'g' }, at + 20)] }, {}, at + 10).grants.roles).toEqual([]);
    expect(grantsOf({ groups, roles: [held('r', { group: 'g' }, at + 5)] }).nextChangeAt).toBe(at + 5);
  });

  test('an origin that is not held gives nothing', () => {
    const roles = [held('admin', { group: 'unknown' })];
    expect(
      grantsOf({ roles, scopes: [held('s', { role: 'admin' }), held('t', { group: 'constructor' })] }).grants,
    ).toEqual(grantsOf({}).grants);
  });

  test('there is no hierarchy: a role by a role and a group by anything give nothing', () => {
    const roles = [held('a'), held('b', { role: 'a' })];
    const groups = [held('g', { role: 'a' }), held('h', { group: 'h' })];
    expect(grantsOf({ roles, groups }).grants).toMatchObject({ roles: ['a'], groups: [] });
  });
});

describe('bounds', () => {
  const holdings = {
    roles: [held('a'), held('__proto__')],
    scopes: [held('read'), held('write')],
    rolePermissions: new Map([['__proto__', ['x:y']]]),
  };

  test('a list is an upper bound, and gives nothing that is not held', () => {
    expect(grantsOf(holdings, { roles: ['a', 'admin'], scopes: ['write', 'delete'] }).grants).toMatchObject({
      roles: ['a'],
      scopes: ['write'],
      permissions: [],
    });
  });

  test('an empty list is nothing, never everything', () => {
    expect(grantsOf(holdings, { roles: [], scopes: [] }).grants).toEqual(grantsOf({}).grants);
  });

  test('names are data: __proto__ is held, bounded and looked up as any other', () => {
    expect(grantsOf(holdings, { roles: ['__proto__'] }).grants).toMatchObject({
      roles: ['__proto__'],
      permissions: ['x:y'],
    });
    expect(grantsOf(holdings, { roles: ['constructor', 'toString'] }).grants.roles).toEqual([]);
  });
});

test('10,000 roles with their permissions', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `role-${i}`);
  const { grants } = grantsOf({
    roles: names.map((name) => held(name)),
    rolePermissions: new Map(names.map((name) => [name, [`${name}:use`]])),
  });
  expect(grants.roles).toHaveLength(10_000);
  expect(grants.permissions).toHaveLength(10_000);
});
