import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { type PostgresServer, startPostgres } from '@authsec/config/embedded-postgres';
import { Client } from 'pg';
import { createApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/load-config.js';
import { createContainer } from '../../src/container.js';
import { createLogger } from '../../src/integrations/logger.js';

export interface OwnServer {
  /** Of a Manager on an empty PostgreSQL, by a role that is no superuser. */
  readonly env: Record<string, string>;
  readonly superuserUrl: string;
  /** A Manager answers at AUTHSEC_URL until the function that it gives is called. */
  serve(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const embedded = () => startPostgres({ password: randomBytes(16).toString('hex'), unsafe: true });

/** A PostgreSQL of its own, since the system tenant's database has the same name on every server. */
export async function startOwnServer(
  start: () => Promise<Pick<PostgresServer, 'url' | 'stop'>> = embedded,
): Promise<OwnServer> {
  const postgres = await start();
  const password = randomBytes(16).toString('hex');
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE ROLE authsec LOGIN CREATEDB CREATEROLE PASSWORD '${password}'`);
  await client.end();
  const databaseUrl = Object.assign(new URL(postgres.url), { username: 'authsec', password, pathname: '/authsec' });
  let app: Express | undefined;
  const server = createServer((request, response) => {
    if (app) app(request, response);
    else response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const env = {
    AUTHSEC_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AUTHSEC_DATABASE_URL: databaseUrl.href,
    AUTHSEC_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AUTHSEC_COOKIE_KEYS: randomBytes(32).toString('hex'),
    AUTHSEC_LOG_LEVEL: 'silent',
    AUTHSEC_MAX_OPEN_TENANTS: '10',
    AUTHSEC_DANGEROUSLY_ALLOW_HTTP: '1',
  };
  return {
    env,
    superuserUrl: postgres.url,
    async serve() {
      const container = await createContainer(loadConfig(env), { logger: createLogger('silent') });
      app = createApp(container);
      return async () => {
        app = undefined;
        await container.close();
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await postgres.stop();
    },
  };
}
