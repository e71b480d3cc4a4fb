import { createApp } from './app.js';
import { ConfigError, loadConfig } from './config/load-config.js';
import { createContainer } from './container.js';
import { migrateMaster } from './db/master-client.js';
import { migrateTenants } from './db/tenant-migrator.js';
import { listen } from './http/listen.js';
import { createLogger } from './integrations/logger.js';

/** Whatever hangs then, such as a database that is gone. */
const stopWithinMs = 20_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger(config.logLevel);
  process.on('unhandledRejection', (err) => logger.error({ err }, 'a rejection was not handled'));

  await migrateMaster(config.masterDatabaseUrl);
  const container = await createContainer(config, { logger });
  await migrateTenants({
    master: container.master,
    sealer: container.sealer,
    onMigrated: ({ tenantId: tenant, applied, error: err }) => {
      if (err) logger.error({ tenant, err }, 'tenant could not be migrated');
      else if (applied.length > 0) logger.info({ tenant, applied }, 'tenant migrated');
    },
  });
  const server = await listen(createApp(container), config);
  logger.info({ url: config.url, host: config.host, port: server.port }, 'ready');

  let stopping = false;
  const stop = async (why: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    logger.info({ why }, 'stopping');
    container.stop();
    await server.close();
    await container.close();
    logger.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  if (config.stopOnStdinEnd) {
    process.stdin.on('end', () => void stop('stdin ended')).on('error', () => void stop('stdin failed'));
    process.stdin.resume();
  }
}

main().catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message);
  else createLogger('info').fatal({ err: error }, 'could not start');
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 100).unref();
});
