import { Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './command-context.js';

/** Runs one command, `serve` where none is given. Rejects with what it fails with. */
export async function runCommand(context: CommandContext, args: readonly string[]): Promise<void> {
  await createProgram(context).parseAsync(args.length === 0 ? ['serve'] : [...args], { from: 'user' });
}

/** The commands of the image. Each is loaded when it is given. */
function createProgram(context: CommandContext): Command {
  const program = new Command('authsec-manager')
    .description('AuthSec Manager. Its settings come from environment variables: docs/configuration.md.')
    .configureOutput({
      writeOut: (text) => void context.process.stdout.write(text),
      writeErr: (text) => void context.process.stderr.write(text),
    })
    .showHelpAfterError('(--help says what there is)');

  program
    .command('serve')
    .description(
      'Answer requests; what is done where no command is given. Brings the databases up to date first, unless AUTHSEC_MIGRATE_ON_START=0.',
    )
    .action(async () => (await import('./serve.js')).serve(context));

  program
    .command('migrate')
    .description("Bring the master database and every tenant's up to date. A tenant that fails holds up no other.")
    .option('--canary <n>', 'so many tenants first, one by one; if one fails the rest is left as it is', count, 0)
    .option('--resume', 'skip the tenants that the master records as done', false)
    .option('--concurrency <n>', 'how many tenants at a time', positive, 4)
    .action(async (options: { canary: number; resume: boolean; concurrency: number }) =>
      (await import('./migrate.js')).migrate(context, options),
    );

  return program;
}

function count(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

function positive(value: string): number {
  const number = count(value);
  if (number < 1) throw new InvalidArgumentError('It must be at least 1.');
  return number;
}
