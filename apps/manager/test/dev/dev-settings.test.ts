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
});
