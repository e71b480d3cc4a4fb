import { connectSignedIn } from './mcp-client.js';

/** What each tenant's tools answer when everything is well, and who asks. */
const expected = {
  'acme-corp': ['acme-corp/website', 'acme-corp/billing', 'acme-corp/handbook'],
  globex: ['globex/reactor', 'globex/recipes'],
};
const regions = ['north', 'west', 'south'];

const typed = new Set([
  'manager_unavailable',
  'policy_unavailable',
  'secret_missing',
  'secret_store_denied',
  'secret_store_unavailable',
  'service_unavailable',
]);

/** Signed-in people who call tools and judge the answers: `right`, `error` with its code, `wrong` or `leak`. */
export async function connectCallers(dev, secrets) {
  const callers = [];
  for (const tenant of dev.tenants) {
    const [person] = tenant.people;
    for (let nth = 0; nth < 2; nth += 1) {
      const client = await connectSignedIn(tenant.mcp, person);
      callers.push({
        hello: async () => judge(await client.call('hello'), secrets, (said) => said.email === person.email),
        listRepositories: async () =>
          judge(await client.call('list_repositories'), secrets, ({ repositories }) =>
            same(
              repositories.map(({ full_name }) => full_name),
              expected[tenant.tenant_id],
            ),
          ),
        runReport: async () =>
          judge(await client.call('run_report'), secrets, ({ sales }) =>
            same(
              sales.map(({ region }) => region),
              regions,
            ),
          ),
        close: client.close,
      });
    }
  }
  return callers;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function judge(answer, secrets, isRight) {
  const text = JSON.stringify(answer);
  if (secrets.some((secret) => formsOf(secret).some((form) => text.includes(form)))) return { kind: 'leak' };
  if (!answer.isError) return { kind: isRight(answer.structuredContent) ? 'right' : 'wrong' };
  try {
    const { error } = JSON.parse(answer.content[0].text);
    if (typed.has(error)) return { kind: 'error', code: error };
  } catch {
    // No typed error.
  }
  return { kind: 'wrong', text };
}

/** A secret as it is and as it may be written down; the tests of the Manager search for more. */
export function formsOf(secret) {
  const inner = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
      .toString('base64')
      .replace(/=+$/, '')
      .slice(before === 0 ? 0 : before + 1, -1),
  );
  return [secret, Buffer.from(secret).toString('hex'), ...inner];
}
