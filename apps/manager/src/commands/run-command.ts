import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { minKeyOverlapSeconds } from '@authsec/manager-client/contract';
import type { BootstrapCommand } from './bootstrap.js';
import type { CommandContext } from './command-context.js';
import type { CreateApplicationCommand } from './create-application.js';
import type { DoctorCommand } from './doctor.js';
import type { MigrateCommand } from './migrate.js';
import type { MoveTenantsCommand } from './move-tenants.js';
import type { RewrapKeysCommand } from './rewrap-keys.js';
import type { RotateKeysCommand } from './rotate-keys.js';

/** Runs one command, `serve` where none is given. Rejects with what it fails with. */
export async function runCommand(context: CommandContext, args: readonly string[]): Promise<void> {
  await createProgram(context).parseAsync(args.length === 0 ? ['serve'] : [...args], { from: 'user' });
}

/** The commands of the image. Each is loaded when it is given. */
function createProgram(context: CommandContext): Command {
  const program = new Command('authsec-manager')
    .description('AuthSec Manager. Its settings come from environment variables: docs/configuration.md.')
    .version(readReleaseVersion(), '--version', 'which release this is')
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
    .action(async (options: MigrateCommand) => (await import('./migrate.js')).migrate(context, options));

  program
    .command('bootstrap')
    .description(
      'First start: make the master database, a tenant and its first administrator. Again, it changes nothing.',
    )
    .option('--tenant <id>', "the tenant; 'system' is that of the operators", 'system')
    .option('--name <text>', 'what people read as the name of a new tenant')
    .option('--email <address>', "the administrator's; else AUTHSEC_BOOTSTRAP_EMAIL, or it is asked")
    .option('--password-stdin', 'take the password from standard input', false)
    .addHelpText('after', passwordHelp)
    .action(async (options: BootstrapCommand) => (await import('./bootstrap.js')).bootstrap(context, options));

  program
    .command('doctor')
    .description(
      'Look at settings, databases, keys, secret store, clock and issuer; a table of what to do. Changes nothing.',
    )
    .option('--json', 'for machines', false)
    .option('--strict', 'warnings make it fail, too', false)
    .action(async (options: DoctorCommand) => (await import('./doctor.js')).doctor(context, options));

  const applications = program.command('applications').description('OAuth clients of a tenant: MCP servers, machines.');
  applications
    .command('create')
    .description('Register one. Its secret is written to a file that only its owner reads, and shown nowhere.')
    .requiredOption('--tenant <id>', 'whose it is')
    .requiredOption('--name <text>', 'what people read when they sign in')
    .option('--client-id <id>', 'a random one where it is not said')
    .option('--if-missing', 'leave one that has this client id as it is', false)
    .option('--resource-url <url>', 'the URL of the MCP server')
    .option('--redirect-uri <url...>', 'where a login may end', [])
    .option('--completion-page', 'a login may end on the page that shows a code', false)
    .option('--paste-token', 'that page also offers the token', false)
    .option('--scope <name...>', 'what it may ask for', [])
    .option('--role <name...>', 'what it holds when it acts for itself, such as authsec-admin', [])
    .option('--public', 'without a secret: for what runs on the own machine of a person', false)
    .option('--credentials-file <path>', 'a new file, for issuer, client id and secret (JSON); - is standard output')
    .action(async (options: CreateApplicationCommand) =>
      (await import('./create-application.js')).createApplication(context, options),
    );

  program
    .command('tenants')
    .description("Tenants' databases.")
    .command('move')
    .description('Tell the master on which server databases are now: after a restore, or when a tenant outgrew one.')
    .option('--tenant <id>', 'of one tenant')
    .option('--all', 'of all tenants', false)
    .requiredOption('--to <host[:port]>', 'the server; name, role and password of each database stay')
    .action(async (options: MoveTenantsCommand) => (await import('./move-tenants.js')).moveTenants(context, options));

  const keys = program.command('keys').description('Keys that sign and seal.');
  keys
    .command('rotate')
    .description("A new signing key signs a tenant's tokens; what the old one signed stays good for a while.")
    .option('--tenant <id>', 'of one tenant')
    .option('--all', 'of all active tenants', false)
    .option('--overlap <seconds>', 'how long the old key still verifies', overlap, 3_600)
    .action(async (options: RotateKeysCommand) => (await import('./rotate-keys.js')).rotateKeys(context, options));
  keys
    .command('rewrap')
    .description('Put everything sealed under the first of AUTHSEC_SEALING_KEYS, so that the others can be taken away.')
    .option('--tenant <id>', 'of one tenant')
    .option('--all', 'of all tenants', false)
    .action(async (options: RewrapKeysCommand) => (await import('./rewrap-keys.js')).rewrapKeys(context, options));

  program
    .command('healthcheck')
    .description('Ask the Manager on this machine whether it is ready. For the health check of a container.')
    .option('--live', 'only whether it answers', false)
    .action(async (options: { live: boolean }) => (await import('./check-health.js')).checkHealth(context, options));

  return program;
}

/** Of what is published with it, which has one version a release; the Manager's own package has none. */
function readReleaseVersion(): string {
  const contract = createRequire(import.meta.url).resolve('@authsec/manager-client/contract');
  const { version } = JSON.parse(readFileSync(join(contract, '../../package.json'), 'utf8')) as { version: string };
  return version;
}

const passwordHelp = `
The password is asked at the terminal, or comes from standard input, AUTHSEC_BOOTSTRAP_PASSWORD
or the file AUTHSEC_BOOTSTRAP_PASSWORD_FILE; never from an argument.`;

function overlap(value: string): number {
  const seconds = count(value);
  if (seconds < minKeyOverlapSeconds) throw new InvalidArgumentError(`It must be at least ${minKeyOverlapSeconds}.`);
  return seconds;
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
