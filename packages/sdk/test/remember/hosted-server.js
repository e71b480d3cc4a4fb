// A server as a host starts it: restores the remembered login, says so, and refreshes as often as its token runs out.
import { createLoginService } from '../../dist/session/login-service.js';
import { systemClock } from '../../dist/clock.js';

const { ISSUER: issuer, CLIENT_ID: clientId, STATE_FOLDER: stateFolder } = process.env;
const service = createLoginService(
  { issuer, clientId, rememberLogin: true, timeoutMs: 5_000 },
  { clock: systemClock, debug: false, stateFolder },
);
const session = service.createSession({
  accessibleTools: async () => [],
  clientName: () => 'host',
  isLocal: () => true,
  hasTransportSession: () => true,
});
const never = new AbortController().signal;
const say = async () => {
  const { structuredContent } = await session.callOAuthTool('oauth_status', {}, never);
  process.send?.({ status: structuredContent.status, email: structuredContent.user_info?.email });
};
session.onChange(() => void say());
await say();
process.on('message', (message) => {
  if (message === 'status') void say();
  if (message === 'close') void service.close().then(() => process.exit(0));
});
