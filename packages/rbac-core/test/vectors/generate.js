// `pnpm vectors` writes lists.json: every combination of list absent, matching and not matching, with requireAll left out, true and false.
// What is expected is counted here, without the code under test.
import { writeFileSync } from 'node:fs';

const lists = ['roles', 'groups', 'scopes', 'resources', 'permissions'];
const states = ['absent', 'match', 'miss'];

const vectors = [];
for (let number = 0; number < states.length ** lists.length; number += 1) {
  const given = lists.map((list, i) => [list, states[Math.floor(number / states.length ** i) % states.length]]);
  const present = given.filter(([, state]) => state !== 'absent');
  const missing = present.filter(([, state]) => state === 'miss').map(([list]) => list);
  for (const requireAll of [undefined, false, true]) {
    vectors.push({ ...Object.fromEntries(present), requireAll, expect: expected(present.length, missing, requireAll) });
  }
}

function expected(presentCount, missing, requireAll) {
  if (presentCount > 1 && requireAll === undefined) return 'ambiguous_requirement';
  if (missing.length === 0) return 'allowed';
  if (requireAll !== true && missing.length < presentCount) return 'allowed';
  return missing.length === 1 ? `${missing[0].slice(0, -1)}_missing` : 'requirement_not_met';
}

const file = new URL('lists.json', import.meta.url);
writeFileSync(file, `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n]\n`);
