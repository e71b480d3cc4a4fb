import type { Tenant } from '@authsec/prisma/master';
import type { Container } from '../../container.js';
import type { Secret } from '../../config/secret.js';
import { openDatabaseUrl } from '../../db/tenant-database-url.js';
import { adminRole } from '../../modules/tenants/built-in-catalogue.js';
import { listAdministrators } from '../../modules/users/first-administrator.js';
import { describeError } from '../command-context.js';
import { adviseOnDatabase, isSilent, placeOf } from '../database-errors.js';
import { checkSchema } from './check-schema.js';
import { type Finding, fail, ok, warn } from './finding.js';

const concurrency = 8;
/** So many tenants of one server are waited for in vain. */
const patience = 3;
const dayMs = 86_400_000;
const oldKeyDays = 180;

/** Every tenant's database, stamp, schema and keys; what is well is counted in one line. */
export async function checkTenants(container: Container): Promise<Finding[]> {
  const tenants = await container.tenantsService.list();
  const found: Finding[] = [];
  const servers = rememberServers();
  const queue = tenants.values();
  async function work(): Promise<void> {
    for (const tenant of queue) found.push(...(await checkTenant(container, tenant, servers)));
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  const bad = new Set(found.map(({ check }) => check));
  const well = tenants.length - bad.size;
  const system = tenants.find(({ isSystem }) => isSystem);
  return [
    system ? await checkOperators(container, system) : fail('operators', 'there is no system tenant', 'bootstrap'),
    ok(
      'tenants',
      `${well} of ${tenants.length} well: database, stamp, schema, keys${bad.size > 0 ? '; the others:' : ''}`,
    ),
    ...found.toSorted((a, b) => a.check.localeCompare(b.check)),
  ];
}

async function checkOperators({ tenants }: Container, { id }: Tenant): Promise<Finding> {
  try {
    const people = await listAdministrators(await tenants.open(id), adminRole.name);
    return people.length === 0
      ? fail('operators', `nobody in tenant ${id} has the role ${adminRole.name}`, 'bootstrap')
      : ok('operators', `${people.length} in tenant ${id}`);
  } catch (error) {
    return fail('operators', describeError(error), `look at the database of tenant ${id}`);
  }
}

async function checkTenant(
  container: Container,
  tenant: Tenant,
  servers: ReturnType<typeof rememberServers>,
): Promise<Finding[]> {
  const check = `tenant ${tenant.id}`;
  if (tenant.status === 'provisioning') {
    return [warn(check, 'begun and not complete', 'PUT /v1/tenants/… again, or bootstrap --tenant: it goes on')];
  }
  const url = openUrl(container, tenant);
  if (url === undefined) {
    return [fail(check, 'no sealing key opens where its database is', 'the key that is missing: docs/sealing-keys.md')];
  }
  const place = placeOf(url);
  if (servers.isSilent(place)) {
    return [fail(check, `${place}: not asked, since this server gave others no answer`, 'as with the others')];
  }
  try {
    const schema = (await checkSchema(check, url, 'tenant')).filter(({ status }) => status !== 'ok');
    const isOpen = tenant.status === 'active' && schema.every(({ status }) => status !== 'fail');
    return isOpen ? [...schema, ...(await checkKeys(container, tenant))] : schema;
  } catch (error) {
    if (isSilent(error)) servers.noteSilent(place);
    const advice = adviseOnDatabase(error, 'restore it, or `tenants move` to where it is');
    return [fail(check, `${place}: ${describeError(error)}`, advice)];
  }
}

function openUrl({ sealer }: Container, { id, sealedDatabaseUrl }: Tenant): Secret | undefined {
  try {
    return openDatabaseUrl(sealer, id, sealedDatabaseUrl);
  } catch {
    return undefined;
  }
}

/** A server that gave several tenants no answer is not waited for once more for each of thousands. */
function rememberServers() {
  const silent = new Map<string, number>();
  const serverOf = (place: string) => place.slice(0, place.indexOf('/'));
  return {
    isSilent: (place: string) => (silent.get(serverOf(place)) ?? 0) >= patience,
    noteSilent: (place: string) => void silent.set(serverOf(place), (silent.get(serverOf(place)) ?? 0) + 1),
  };
}

async function checkKeys({ tenants, sealer, loadPrivateKeys, clock }: Container, tenant: Tenant): Promise<Finding[]> {
  const check = `tenant ${tenant.id}`;
  const db = await tenants.open(tenant.id);
  const rotate = `keys rotate --tenant ${tenant.id}`;
  const active = await db.signingKey.findFirst({ where: { status: 'active' }, orderBy: { createdAt: 'desc' } });
  if (!active || (await loadPrivateKeys(tenant.id, db)).length === 0) {
    return [fail(check, 'no key signs its tokens', rotate)];
  }
  const ageDays = Math.floor((clock.now() - active.createdAt.getTime()) / dayMs);
  const underOlder = [tenant.sealedDatabaseUrl, active.sealedPrivateJwk].some(
    (sealed) => sealer.keyIdOf(sealed) !== sealer.keyIds[0],
  );
  return [
    ...(ageDays > oldKeyDays ? [warn(check, `its signing key is ${ageDays} days old`, rotate)] : []),
    ...(underOlder ? [warn(check, 'sealed under an older sealing key', 'keys rewrap --all')] : []),
  ];
}
