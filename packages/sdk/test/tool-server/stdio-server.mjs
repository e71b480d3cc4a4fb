import { mcpTool, protectedByAuthSec, runMcpServerWithOAuth } from '@authsec/sdk';

await runMcpServerWithOAuth({
  tools: [mcpTool('ping', {}, () => 'pong'), protectedByAuthSec('hello', {}, ({ _user_info }) => _user_info.email)],
  issuer: 'http://127.0.0.1:1/t/acme',
  clientId: 'demo',
  stdio: true,
});
