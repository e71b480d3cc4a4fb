import { expectTypeOf } from 'expect-type';
import { createManagerClient, type ManagerClientErrorCode, type SessionState } from '../src/index.js';

const client = createManagerClient({ issuer: '', clientId: '', clientSecret: '' });

expectTypeOf(client.sessions.renew).returns.resolves.toEqualTypeOf<{ sessions: SessionState[] }>();
expectTypeOf(client.sessions.revoke).returns.resolves.toEqualTypeOf<void>();
expectTypeOf<'timeout'>().toExtend<ManagerClientErrorCode>();
expectTypeOf<'token_already_used'>().toExtend<ManagerClientErrorCode>();

// A public client has no secret.
createManagerClient({ issuer: '', clientId: '' });
// @ts-expect-error -- an issuer is needed
createManagerClient({ clientId: '' });
// @ts-expect-error -- mcp_session is needed
void client.sessions.bind({ access_token: '' });
// @ts-expect-error -- no such kind
void client.users.listAssignments('', 'permissions');
