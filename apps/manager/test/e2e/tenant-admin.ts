import type { DevFile } from '../../src/dev/dev-file.js';

type Tenant = DevFile['tenants'][number];

/** Administrates one tenant through the Manager's API, as the machine of dev.json. */
export interface TenantAdmin {
  /** Below `/v1/`; rejects where the answer is no success. */
  request(method: string, path: string, body?: object): Promise<unknown>;
  userId(email: string): Promise<string>;
  assign(userId: string, kind: Kind, name: string): Promise<void>;
  unassign(userId: string, kind: Kind, name: string): Promise<void>;
  /** The logins of a person that have not ended. */
  livingSids(email: string): Promise<string[]>;
  /** How each login of a person with an application ended; null for one that goes on. */
  endsOf(userId: string, clientId: string): Promise<(string | null)[]>;
}
type Kind = 'roles' | 'groups' | 'scopes' | 'resources';

export async function connectAdmin(managerUrl: string, { issuer, admin }: Tenant): Promise<TenantAdmin> {
  const credentials = Buffer.from(`${admin.client_id}:${admin.client_secret}`).toString('base64');
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${issuer}/v1` }),
  });
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  const { access_token: token } = (await answer.json()) as { access_token: string };

  async function request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${managerUrl}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }

  async function userId(email: string): Promise<string> {
    const { users } = (await request('GET', `users?email=${encodeURIComponent(email)}`)) as {
      users: { id: string }[];
    };
    if (!users[0]) throw new Error(`there is nobody with ${email}`);
    return users[0].id;
  }

  return {
    request,
    userId,
    async livingSids(email) {
      const { sessions } = (await request('GET', `sessions?sub=${await userId(email)}&limit=200`)) as {
        sessions: { sid: string; ended_at: string | null }[];
      };
      return sessions.filter(({ ended_at }) => ended_at === null).map(({ sid }) => sid);
    },
    assign: async (userId, kind, name) =>
      void (await request('PUT', `users/${userId}/${kind}/${encodeURIComponent(name)}`, {})),
    unassign: async (userId, kind, name) =>
      void (await request('DELETE', `users/${userId}/${kind}/${encodeURIComponent(name)}`)),
    async endsOf(userId, clientId) {
      const { sessions } = (await request('GET', `sessions?sub=${userId}&limit=200`)) as {
        sessions: { client_id: string; ended_at: string | null; end_reason: string | null }[];
      };
      const own = sessions.filter(({ client_id }) => client_id === clientId);
      return own.map(({ ended_at, end_reason }) => ended_at && end_reason);
    },
  };
}
