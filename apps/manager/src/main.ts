import { createCommandContext, explainError } from './commands/command-context.js';
import { runCommand } from './commands/run-command.js';

runCommand(createCommandContext(process), process.argv.slice(2)).catch((error: unknown) => {
  console.error(explainError(error));
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 100).unref();
});
