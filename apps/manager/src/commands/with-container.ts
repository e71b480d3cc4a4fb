import { loadConfig } from '../config/load-config.js';
import { type Container, createContainer } from '../container.js';
import { createLogger } from '../integrations/logger.js';
import type { CommandContext } from './command-context.js';

/** Runs `work` on a container that logs errors to standard error, since standard output is the command's. */
export async function withContainer<T>(
  { process }: CommandContext,
  work: (container: Container) => Promise<T>,
): Promise<T> {
  const config = loadConfig(process.env);
  const container = await createContainer(config, { logger: createLogger('error', process.stderr) });
  try {
    return await work(container);
  } finally {
    await container.close();
  }
}
