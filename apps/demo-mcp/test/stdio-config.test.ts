import { describe, expect, test } from '@jest/globals';
import { loadStdioConfig } from '../src/stdio-config.js';

const good = { AUTHSEC_ISSUER: 'https://authsec.example/t/acme', AUTHSEC_CLIENT_ID: 'demo-mcp-stdio' };

describe('the settings of the demo on stdio', () => {
  test('need the issuer and the client id, and no secret', () => {
    expect(loadStdioConfig(good)).toEqual({
      tenant: 'acme',
      issuer: 'https://authsec.example/t/acme',
      clientId: 'demo-mcp-stdio',
      clientSecret: undefined,
      login: 'auto',
      rememberLogin: false,
    });
  });

  test('that are wrong are named all at once, and no value is told', () => {
    const wrong = { AUTHSEC_ISSUER: 'https://secret.example', AUTHSEC_LOGIN: 'tty', AUTHSEC_REMEMBER_LOGIN: 'yes' };
    let message = '';
    try {
      loadStdioConfig(wrong);
    } catch (error) {
      message = (error as Error).message;
    }
    for (const name of [...Object.keys(wrong), 'AUTHSEC_CLIENT_ID']) expect(message).toContain(name);
    expect(message).not.toMatch(/secret\.example|tty/);
  });
});
