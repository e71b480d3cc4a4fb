import { fileURLToPath } from 'node:url';
import preset from './preset.js';

const { globalSetup: _, globalTeardown: __, ...withoutPostgres } = preset;

/**
 * Against what runs somewhere, as a person there: AUTHSEC_E2E_MCP_URL (of a demo server), AUTHSEC_E2E_EMAIL,
 * AUTHSEC_E2E_PASSWORD, and NODE_EXTRA_CA_CERTS where its certificates are of its own authority.
 */
export default {
  ...withoutPostgres,
  rootDir: fileURLToPath(new URL('../../..', import.meta.url)),
  testMatch: ['<rootDir>/apps/manager/test/e2e/deployed.ts'],
};
