import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { createApp } from '../app.js';
import { type Config, loadConfig } from '../config/load-config.js';
import { readTlsFiles } from '../config/tls-files.js';
import { type Container, createContainer } from '../container.js';
import { migrateMaster, pendingMasterMigrations } from '../db/master-client.js';
import { migrateTenants } from '../db/tenant-migrator.js';
import { type HttpServer, listen } from '../http/listen.js';
import { createLogger } from '../integrations/logger.js';
import { createTelemetry } from '../integrations/telemetry/create-telemetry.js';
import { assertSealingKeys } from './assert-sealing-keys.js';
import { type CommandContext, CommandFailure } from './command-context.js';
import { reachMaster } from './database-errors.js';

/** Whatever hangs then, such as a database that is gone. */
const stopWithinMs = 20_000;

/** Answers requests until it is told to stop. */
export async function serve({ process }: CommandContext): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger(config.logLevel);
  process.on('unhandledRejection', (err) => logger.error({ err }, 'a rejection was not handled'));

  const { container, server } = await start(config, logger).catch((err: unknown) => {
    logger.fatal({ err }, 'could not start');
    throw err;
  });
  logger.info({ url: config.url, tls: config.tls !== undefined, host: config.host, port: server.port }, 'ready');
  if (config.tls) renewTlsOnHangup(process, { server, files: config.tls, logger });

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

async function start(config: Config, logger: Logger): Promise<{ container: Container; server: HttpServer }> {
  const container = await prepare(config, logger);
  const tls = config.tls && readTlsFiles(config.tls, readText);
  return { container, server: await listen(createApp(container), { host: config.host, port: config.port, tls }) };
}

async function prepare(config: Config, logger: Logger): Promise<Container> {
  const { masterDatabaseUrl } = config;
  const create = async () => {
    const telemetry = await createTelemetry({ config: config.telemetry, logger });
    const container = await createContainer(config, { logger, telemetry });
    try {
      await assertSealingKeys(container);
      return container;
    } catch (error) {
      await container.close();
      throw error;
    }
  };
  if (!config.migrateOnStart) {
    const pending = await reachMaster(masterDatabaseUrl, () => pendingMasterMigrations(masterDatabaseUrl));
    if (pending.length > 0) {
      throw new CommandFailure(`the master database is ${pending.length} migration(s) behind: run \`migrate\` first`);
    }
    return create();
  }
  await reachMaster(masterDatabaseUrl, () =>
    migrateMaster(masterDatabaseUrl, () => logger.info('waiting for another migration of the master database')),
  );
  const container = await create();
  await migrateTenants({
    master: container.master,
    sealer: container.sealer,
    onMigrated: ({ tenantId: tenant, applied, error: err }) => {
      if (err) logger.error({ tenant, err }, 'tenant could not be migrated');
      else if (applied.length > 0) logger.info({ tenant, applied }, 'tenant migrated');
    },
    onWait: (tenant) => logger.info({ tenant }, 'waiting for another migration of the tenant'),
  });
  return container;
}

/** A certificate that was renewed on disk is taken for new connections; a broken one leaves the old in place. */
function renewTlsOnHangup(
  process: CommandContext['process'],
  { server, files, logger }: { server: HttpServer; files: NonNullable<Config['tls']>; logger: Logger },
): void {
  process.on('SIGHUP', () => {
    try {
      server.replaceTls(readTlsFiles(files, readText));
      logger.info('the TLS certificate was read again');
    } catch (err) {
      logger.error({ err }, 'the TLS certificate could not be read again: the old one stays');
    }
  });
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
