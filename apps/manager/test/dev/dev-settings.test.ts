import { describe, expect, test } from '@jest/globals';
import { readDevSettings } from '../../src/dev/dev-settings.js';

describe('settings', () => {
  test('name the one that is wrong', () => {
    expect(() => readDevSettings([], { AUTHSEC_MANAGER_PORT: 'abc' })).toThrow(/AUTHSEC_MANAGER_PORT/);
    expect(() => readDevSettings(['--rest'], {})).toThrow(/--rest/);
    expect(() => readDevSettings([], { AUTHSEC_MANAGER_PORT: '5000', AUTHSEC_DEMO_PORT: '5000' })).toThrow(
      /must differ/,
    );
  });

  test('take --reset with and without the -- of a package manager', () => {
    expect(readDevSettings(['--reset'], {}).reset).toBe(true);
    expect(readDevSettings(['--', '--reset'], {}).reset).toBe(true);
    expect(readDevSettings([], {})).toMatchObject({ reset: false, managerPort: 4700, demoPort: 4701 });
  });

  test('keep the secrets sealed without --vault, whatever the environment names', () => {
    expect(readDevSettings([], { VAULT_ADDR: 'http://127.0.0.1:8200', VAULT_TOKEN: 't' }).vault).toBeUndefined();
    expect(readDevSettings(['--vault'], {}).vault).toEqual({ standing: undefined, port: undefined });
  });

  test('with --vault use what VAULT_ADDR names, which takes the token of an operator', () => {
    const env = { VAULT_ADDR: 'http://127.0.0.1:8200', VAULT_TOKEN: 't', VAULT_NAMESPACE: 'team' };
    const standing = { address: env.VAULT_ADDR, token: 't', namespace: 'team' };
    expect(readDevSettings(['--vault'], env).vault).toEqual({ standing, port: undefined });
    expect(() => readDevSettings(['--vault'], { VAULT_ADDR: env.VAULT_ADDR })).toThrow(/VAULT_TOKEN/);
    expect(() => readDevSettings(['--vault'], { VAULT_ADDR: 'vault:8200' })).toThrow(/VAULT_ADDR/);
  });
});
