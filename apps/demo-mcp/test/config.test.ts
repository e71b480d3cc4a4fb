import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../src/config.js';

const endpoint = { tenant: 'acme', issuer: 'http://127.0.0.1:4700/t/acme', clientId: 'demo', clientSecret: 'hush' };

describe('loadConfig', () => {
  test('takes one endpoint a tenant and fills in the defaults', () => {
    expect(loadConfig({ AUTHSEC_DEMO_ENDPOINTS: JSON.stringify([endpoint]) })).toEqual({
      endpoints: [endpoint],
      host: '127.0.0.1',
      port: 4701,
      stopOnStdinEnd: false,
    });
  });

  test('names every setting that is wrong and no value', () => {
    const env = { AUTHSEC_DEMO_ENDPOINTS: '[{"clientSecret":"hush"', AUTHSEC_DEMO_PORT: '99999' };
    expect(() => loadConfig(env)).toThrow(/AUTHSEC_DEMO_ENDPOINTS: is not JSON[\s\S]*AUTHSEC_DEMO_PORT/);
    expect(() => loadConfig(env)).not.toThrow(/hush/);
  });

  test('refuses the same tenant twice', () => {
    const env = { AUTHSEC_DEMO_ENDPOINTS: JSON.stringify([endpoint, endpoint]) };
    expect(() => loadConfig(env)).toThrow(/names a tenant twice/);
  });

  test('takes credentials from files, as the Manager writes them', () => {
    const { tenant, issuer, clientId, clientSecret } = endpoint;
    const file = JSON.stringify({ tenant, issuer, client_id: clientId, client_secret: clientSecret });
    const env = { AUTHSEC_DEMO_CREDENTIALS_FILES: '/credentials/acme.json', AUTHSEC_DEMO_ALLOWED_HOSTS: 'mcp.test' };
    expect(loadConfig(env, () => file)).toMatchObject({ endpoints: [endpoint], allowedHosts: ['mcp.test'] });
    expect(() => loadConfig(env, () => '{"client_secret":"hush"')).toThrow(/acme\.json holds no credentials$/);
    expect(() => loadConfig({ AUTHSEC_DEMO_CREDENTIALS_FILES: '/nowhere' })).toThrow(/nowhere holds no credentials/);
  });
});
