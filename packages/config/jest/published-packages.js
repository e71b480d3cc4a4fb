import { fileURLToPath } from 'node:url';
import preset from './preset.js';

// Owners, modes and links of files, which Windows has not in that form.
const posix = process.platform === 'win32' ? ['/private-file\\.test', '/remembered-login\\.test'] : [];
const { globalSetup: _, globalTeardown: __, ...withoutPostgres } = preset;

/** The packages that run on every system: no database, no Manager, no browser. */
export default {
  ...withoutPostgres,
  rootDir: fileURLToPath(new URL('../../..', import.meta.url)),
  testMatch: ['<rootDir>/packages/{rbac-core,manager-client,guarded-fetch,sdk}/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...posix],
};
