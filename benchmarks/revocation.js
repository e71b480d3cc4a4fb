// A role is removed through the Manager's API: how long until the call that needs it is refused? p50 and p99 of 200,
// on a stack of its own, over real HTTP. Signs in without a browser, by the pages' own forms.
import { setTimeout as delay } from 'node:timers/promises';
import { connectApi } from './stack/api.js';
import { withDevStack } from './stack/dev-stack.js';
import { connectSignedIn } from './stack/mcp-client.js';

const rounds = Number(process.env.ROUNDS ?? 200);
await withDevStack(measure);

async function measure({ manager, tenants: [tenant] }) {
  const [person] = tenant.people;
  const client = await connectSignedIn(tenant.mcp, person);

  const api = await connectApi(manager.url, tenant);
  const { users } = await api('GET', `users?email=${encodeURIComponent(person.email)}`);
  const role = `users/${users[0].id}/roles/admin`;
  const allowed = async () => !(await client.call('admin_dashboard')).isError;
  const until = async (state) => {
    while ((await allowed()) !== state) await delay(1);
  };
  await until(true);
  const removed = [];
  const given = [];
  for (let round = 0; round < rounds; round += 1) {
    removed.push(
      await time(
        () => api('DELETE', role),
        () => until(false),
      ),
    );
    given.push(
      await time(
        () => api('PUT', role, {}),
        () => until(true),
      ),
    );
  }
  await client.close();
  report('role removed → call refused', removed);
  report('role given → call allowed', given);
}

/** Milliseconds from when the request of the change was sent. */
async function time(change, effect) {
  const start = performance.now();
  await change();
  await effect();
  return performance.now() - start;
}

function report(what, times) {
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
  console.log(`${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${times.length} times)`);
}
