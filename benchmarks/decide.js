import { pathToFileURL } from 'node:url';
import {
  allOf,
  anyOf,
  compileRequirement,
  createPrincipal,
  decide,
  permission,
  role,
  scope,
} from '../packages/rbac-core/dist/index.js';

const iterations = 1_000_000;
const rounds = 3;

const names = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const principal = createPrincipal({
  roles: ['developer', ...names('role', 20)],
  groups: ['engineering'],
  scopes: ['read', 'calculate'],
  resources: ['analytics'],
  permissions: ['projects:*', 'invoices:read', ...names('thing', 20).map((name) => `${name}:read`)],
});
const crowded = createPrincipal({ ...principal.grants, roles: names('role', 10_000) });

const cases = [
  ['any signed-in person', principal, {}],
  ['one role, held', principal, { roles: ['developer'] }],
  ['one role, missing', principal, { roles: ['admin'] }],
  ['scope and resource, held', principal, { scopes: ['read'], resources: ['analytics'], requireAll: true }],
  ['scope and resource, both missing', principal, { scopes: ['w'], resources: ['b'], requireAll: true }],
  ['permission by wildcard', principal, { permissions: ['projects:delete'] }],
  ['five lists, the last one held', principal, fiveLists('developer', 'projects:delete')],
  ['expression, held', principal, allOf(role('developer'), anyOf(scope('write'), permission('projects:delete')))],
  ['one role of 10,000 held', crowded, { roles: ['role-9999'] }],
];

function fiveLists(heldRole, heldPermission) {
  const lists = { groups: ['a'], scopes: ['b'], resources: ['c'] };
  return { ...lists, roles: [`not-${heldRole}`], permissions: [heldPermission], requireAll: false };
}

/** Nanoseconds a turn: the best of the rounds, which is what the machine can do when nothing else runs. */
function measure(turn) {
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    let counted = 0;
    const start = performance.now();
    for (let i = 0; i < iterations; i += 1) counted += turn(i);
    best = Math.min(best, performance.now() - start);
    if (counted < 0) throw new Error('never: the count keeps the loop from being optimized away');
  }
  return (best * 1e6) / iterations;
}

export function benchmarkDecide() {
  const emptyNanoseconds = measure((i) => i & 1);
  const results = cases.map(([name, who, source]) => {
    const requirement = compileRequirement(source);
    const nanoseconds = measure(() => (decide(who, requirement).allowed ? 1 : 0));
    return { name, nanoseconds, perSecond: 1e9 / nanoseconds, timesEmptyLoop: nanoseconds / emptyNanoseconds };
  });
  return { emptyNanoseconds, results };
}

export function printDecide({ emptyNanoseconds, results } = benchmarkDecide()) {
  console.log(`decide (an empty turn of the loop: ${emptyNanoseconds.toFixed(2)} ns)`);
  console.table(
    results.map(({ name, nanoseconds, perSecond, timesEmptyLoop }) => ({
      requirement: name,
      'ns a decision': Number(nanoseconds.toFixed(1)),
      'decisions per second': Math.round(perSecond).toLocaleString('en'),
      'times an empty turn': Number(timesEmptyLoop.toFixed(1)),
    })),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) printDecide();
