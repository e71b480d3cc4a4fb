import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { expectTypeOf } from 'expect-type';
import {
  authsec,
  AuthSecError,
  protectedByAuthSec,
  role,
  type AuthSec,
  type AuthSecErrorCode,
  type CredentialType,
  type Services,
  type ToolCallContext,
  type UserInfo,
} from '../src/index.js';

const auth = authsec({ issuer: '', clientId: '', clientSecret: '' });
expectTypeOf(auth).toEqualTypeOf<AuthSec>();
expectTypeOf<AuthSec['close']>().returns.resolves.toBeVoid();

const server = new McpServer({ name: '', version: '' });
expectTypeOf(auth.protect(server, { tools: { ping: { public: true } } })).toEqualTypeOf<McpServer>();
auth.protect(server, {
  tools: { a: { roles: ['x'] }, b: role('x'), c: {}, d: { roles: ['x'], scopes: ['y'], requireAll: true } },
});
auth.protect(server);

// @ts-expect-error -- with two lists requireAll must be said
auth.protect(server, { tools: { a: { roles: ['x'], scopes: ['y'] } } });
// @ts-expect-error -- no such list
auth.protect(server, { tools: { a: { role: ['x'] } } });
// @ts-expect-error -- public and a requirement
auth.protect(server, { tools: { a: { public: true, roles: ['x'] } } });
authsec({ issuer: '', clientId: '', rememberLogin: true, login: 'loopback' });
// @ts-expect-error -- no such end of a login
authsec({ issuer: '', clientId: '', login: 'console' });
// @ts-expect-error -- no such option
authsec({ issuer: '', clientId: '', clientSecret: '', clientID: '' });

expectTypeOf(new AuthSecError('code_refused', '').code).toEqualTypeOf<AuthSecErrorCode>();
expectTypeOf<UserInfo['roles']>().toEqualTypeOf<readonly string[]>();

declare const services: Services;
expectTypeOf(services.fetch('github')).resolves.toEqualTypeOf<typeof globalThis.fetch>();
expectTypeOf((await services.credential('db', 'database')).password).toBeString();
expectTypeOf((await services.credential('db', 'database')).port).toBeNumber();
const any = await services.credential('any');
// @ts-expect-error -- not every credential has one
void any.password;
if (any.type === 'bearer') expectTypeOf(any.token).toBeString();
expectTypeOf(any.reveal().type).toEqualTypeOf<CredentialType>();
// @ts-expect-error -- no such type
void services.credential('db', 'mysql');
protectedByAuthSec('tool', {}, (_, context) => {
  expectTypeOf(context).toEqualTypeOf<ToolCallContext>();
  expectTypeOf(context.services).toEqualTypeOf<Services>();
  return 'x';
});
