import { createServer } from 'node:http';
import express from 'express';
import { createGitHubApi } from './github-api.js';
import { createGitHubShapedProvider } from './identity-provider/github-shaped.js';
import { createOpenIdProvider } from './identity-provider/openid-provider.js';
import type { ProviderSettings } from './identity-provider/people.js';

// The development identity providers and the API that tools call: a process of its own, which ends when its standard
// input does.
const settings = JSON.parse(process.env['AUTHSEC_DEV_IDENTITY_PROVIDER'] ?? '') as ProviderSettings;
const { hostname, port } = new URL(settings.url);

const app = express();
app.disable('x-powered-by');
app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
app.use('/oidc', await createOpenIdProvider(`${settings.url}/oidc`, settings));
app.use('/devhub', createGitHubShapedProvider(settings));
app.use('/github', createGitHubApi(settings.accounts));

const server = createServer(app);
server.listen(Number(port), hostname);
const stop = () => process.exit(0);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
process.stdin.on('end', stop).on('error', stop).resume();
