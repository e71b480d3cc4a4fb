import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { evaluateMachine } from '../../src/authorization/evaluate-machine.js';
import { evaluatePeople, evaluatePerson, unbounded } from '../../src/authorization/evaluate-person.js';
import { countQueries, createTestApplication, createTestPerson, createTestRole } from '../support/test-data.js';
import { createTestManager, type TestManager, type TestTenant } from '../support/test-manager.js';

let manager: TestManager;
let tenant: TestTenant;
const at = Date.UTC(2030, 0, 1);
const before = new Date(at - 1_000);
const after = new Date(at + 60_000);

beforeAll(async () => {
  manager = await createTestManager();
  tenant = await manager.createTenant();
  const { db } = tenant;
  await createTestRole(tenant, 'direct', ['d:do']);
  await createTestRole(tenant, 'by-group', ['g:do', 'shared:do']);
  await createTestRole(tenant, '__proto__', ['shared:do']);
  const named = (name: string) => ({ connectOrCreate: { where: { name }, create: { name } } });
  await db.group.create({
    data: {
      name: 'team',
      roles: { create: { role: { connect: { name: 'by-group' } } } },
      scopes: { create: { scope: named('scope-by-group') } },
      resources: { create: { resource: named('resource-by-group') } },
    },
  });
  await db.role.update({
    where: { name: 'by-group' },
    data: {
      scopes: { create: { scope: named('scope-by-group-role') } },
      resources: { create: { resource: named('resource-by-group-role') } },
    },
  });
  await db.role.update({ where: { name: 'direct' }, data: { scopes: { create: { scope: named('scope-by-role') } } } });
});
afterAll(() => manager.close());

const nothing = { roles: [], groups: [], scopes: [], resources: [], permissions: [] };

describe('a person', () => {
  test('holds what is direct and what comes by groups and roles, each once and sorted', async () => {
    const { id, email } = await createTestPerson(tenant, {
      roles: ['direct', '__proto__'],
      groups: ['team'],
      scopes: ['own', 'scope-by-role'],
      resources: ['own'],
    });
    expect(await evaluatePerson(tenant.db, id, unbounded, at)).toEqual({
      email,
      emailVerified: false,
      status: 'active',
      grants: {
        roles: ['__proto__', 'by-group', 'direct'],
        groups: ['team'],
        scopes: ['own', 'scope-by-group', 'scope-by-group-role', 'scope-by-role'],
        resources: ['own', 'resource-by-group', 'resource-by-group-role'],
        permissions: ['d:do', 'g:do', 'shared:do'],
      },
      nextChangeAt: null,
      policyVersion: expect.any(BigInt),
    });
  });

  test('loses with a membership that expired all that came by it, and knows when the next thing ends', async () => {
    const { id } = await createTestPerson(tenant, { roles: ['direct'], groups: ['team'] });
    const expire = (expiresAt: Date) =>
      tenant.db.groupMember.updateMany({ where: { userId: id }, data: { expiresAt } });
    await expire(after);
    const held = await evaluatePerson(tenant.db, id, unbounded, at);
    expect(held).toMatchObject({ nextChangeAt: after.getTime() });
    expect(held!.grants.roles).toEqual(['by-group', 'direct']);
    await expire(before);
    const lost = await evaluatePerson(tenant.db, id, unbounded, at);
    expect(lost).toMatchObject({ nextChangeAt: null });
    expect(lost!.grants).toEqual({ ...nothing, roles: ['direct'], scopes: ['scope-by-role'], permissions: ['d:do'] });
  });

  test('loses a role of the group that expired in the group', async () => {
    const { id } = await createTestPerson(tenant, { groups: ['team'] });
    await tenant.db.groupRole.updateMany({ data: { expiresAt: before } });
    const { grants } = (await evaluatePerson(tenant.db, id, unbounded, at))!;
    await tenant.db.groupRole.updateMany({ data: { expiresAt: null } });
    expect(grants).toMatchObject({ roles: [], groups: ['team'], scopes: ['scope-by-group'], permissions: [] });
  });

  test('bounds cut what is held; an empty one leaves nothing', async () => {
    const { id } = await createTestPerson(tenant, { roles: ['direct'], groups: ['team'] });
    const none = { roles: [], groups: [], scopes: [], resources: [] };
    expect((await evaluatePerson(tenant.db, id, none, at))!.grants).toEqual(nothing);
    const bounded = { ...unbounded, roles: ['direct', 'not-held'] };
    expect((await evaluatePerson(tenant.db, id, bounded, at))!.grants.permissions).toEqual(['d:do']);
  });

  test('someone with nothing has empty lists, someone unknown is undefined', async () => {
    const { id } = await createTestPerson(tenant);
    expect((await evaluatePerson(tenant.db, id, unbounded, at))!.grants).toEqual(nothing);
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect(await evaluatePerson(tenant.db, unknown, unbounded, at)).toBeUndefined();
  });

  test('many are evaluated each for themselves, in the order asked, in one query', async () => {
    const people = [
      await createTestPerson(tenant, { roles: ['direct'] }),
      await createTestPerson(tenant),
      await createTestPerson(tenant, { groups: ['team'] }),
    ];
    const { db, queries } = countQueries(tenant);
    const ids = [...people, people[0]!].map((person) => person.id);
    const all = await evaluatePeople(
      db,
      ids.map((userId) => ({ userId, bounds: unbounded })),
      at,
    );
    expect(queries()).toBe(1);
    expect(all.map((person) => person!.grants.roles)).toEqual([['direct'], [], ['by-group'], ['direct']]);
    expect(new Set(all.map((person) => person!.policyVersion)).size).toBe(1);
  });
});

describe('a machine', () => {
  test('holds what its roles give and no more, none that expired', async () => {
    const { id } = await createTestApplication(tenant, { roles: ['direct', '__proto__'] });
    const { db } = tenant;
    expect((await evaluateMachine(db, id, at)).grants).toMatchObject({
      roles: ['__proto__', 'direct'],
      permissions: ['d:do', 'shared:do'],
    });
    await db.applicationRole.updateMany({
      where: { applicationId: id, role: { name: 'direct' } },
      data: { expiresAt: before },
    });
    expect((await evaluateMachine(db, id, at)).grants.permissions).toEqual(['shared:do']);
    const bare = await createTestApplication(tenant);
    expect((await evaluateMachine(db, bare.id, at)).grants).toEqual(nothing);
  });
});
