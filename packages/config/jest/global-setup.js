import { randomBytes } from 'node:crypto';
import { startPostgres } from '@authsec/config/embedded-postgres';

/** One real PostgreSQL for the whole run, unless one is given; each test file makes databases of its own in it. */
export default async function setup() {
  if (process.env.AUTHSEC_TEST_DATABASE_URL) return;
  const server = await startPostgres({ password: randomBytes(16).toString('hex'), unsafe: true });
  process.env.AUTHSEC_TEST_DATABASE_URL = server.url;
  globalThis.stopPostgres = () => server.stop();
}
