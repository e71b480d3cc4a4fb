import { loadConfig } from '../config/load-config.js';
import { type Container, createContainer } from '../container.js';
import { pendingMasterMigrations } from '../db/master-client.js';
import { createLogger } from '../integrations/logger.js';
import { type CommandContext, CommandFailure } from './command-context.js';
import { reachMaster } from './database-errors.js';
import { warnOfSpentLogin } from './warn-of-spent-login.js';

/** Runs `work` on a container that logs errors to standard error, since standard output is the command's. */
export async function withContainer<T>(
  context: CommandContext,
  work: (container: Container) => Promise<T>,
): Promise<T> {
  const { process } = context;
  const config = loadConfig(process.env);
  const { masterDatabaseUrl } = config;
  const pending = await reachMaster(masterDatabaseUrl, () => pendingMasterMigrations(masterDatabaseUrl));
  if (pending.length > 0) {
    throw new CommandFailure(`the master database is ${pending.length} migration(s) behind: \`migrate\` comes first`);
  }
  warnOfSpentLogin(context, config);
  const container = await createContainer(config, { logger: createLogger('error', process.stderr) });
  try {
    return await work(container);
  } finally {
    await container.close();
  }
}
