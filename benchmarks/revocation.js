// A role is removed through the Manager's API: how long until the call that needs it is refused? p50 and p99 of 200,
// on a stack of its own, over real HTTP. Signs in without a browser, by the pages' own forms.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';

const rounds = Number(process.env.ROUNDS ?? 200);
const require = createRequire(new URL('../apps/demo-mcp/package.json', import.meta.url));
const load = (path) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${path}`)).href);
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');

const directory = mkdtempSync(join(tmpdir(), 'authsec-bench-'));
const stack = spawn(process.execPath, [fileURLToPath(new URL('../apps/manager/dist/dev/main.js', import.meta.url))], {
  env: { ...process.env, AUTHSEC_DEV_DIRECTORY: directory, AUTHSEC_MANAGER_PORT: '0', AUTHSEC_DEMO_PORT: '0' },
  stdio: ['ignore', 'ignore', 'inherit'],
});
try {
  await measure(await readDevFile());
} finally {
  stack.kill('SIGINT');
  await once(stack, 'exit');
  rmSync(directory, { recursive: true, force: true });
}

async function readDevFile() {
  const file = join(directory, 'dev.json');
  while (!existsSync(file)) {
    if (stack.exitCode !== null) throw new Error('the development stack ended');
    await delay(100);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

async function measure({ manager, tenants: [tenant] }) {
  const [person] = tenant.people;
  const client = new Client({ name: 'benchmark', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(tenant.mcp)));
  const call = async (name, args = {}) => client.callTool({ name, arguments: args });
  const { session_id, authorization_url } = (await call('oauth_start')).structuredContent;
  const code = await signIn(authorization_url, person);
  await call('oauth_authenticate', { session_id, code });

  const api = await connectApi(manager.url, tenant);
  const { users } = await api('GET', `users?email=${encodeURIComponent(person.email)}`);
  const role = `users/${users[0].id}/roles/admin`;
  const allowed = async () => !(await call('admin_dashboard')).isError;
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

async function connectApi(managerUrl, { issuer, admin }) {
  const basic = Buffer.from(`${admin.client_id}:${admin.client_secret}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/v1` }),
  });
  const { access_token: token } = await answer.json();
  return async (method, path, body) => {
    const response = await fetch(`${managerUrl}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
}

/** Follows the pages as a browser without JavaScript would: one cookie jar, forms, redirects, meta refresh. */
async function signIn(start, { email, password }) {
  const cookies = new Map();
  const visit = async (url, form) => {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form && { origin: new URL(url).origin }),
      },
      body: form && new URLSearchParams(form),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const html = await response.text();
    const next = response.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1];
    return next ? visit(new URL(next.replaceAll('&amp;', '&'), url).href) : { url, html };
  };
  const submit = ({ url, html }, fields) => {
    const csrf = /name="csrf" value="([^"]*)"/.exec(html)?.[1];
    return visit(url, { ...(csrf && { csrf }), ...fields });
  };
  const passwordPage = await submit(await visit(start), {});
  const approval = await submit(passwordPage, { email, password, action: 'sign-in' });
  const { html } = await submit(approval, { action: 'approve' });
  const code = /id="code"[^>]*>([^<]*)</.exec(html)?.[1];
  if (!code) throw new Error(`no code on the last page:\n${html}`);
  return code;
}
