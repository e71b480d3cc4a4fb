import { z } from 'zod';
import { issuerOf } from '../authorization/issuer.js';
import { loadConfig } from '../config/load-config.js';
import type { Container } from '../container.js';
import { withDatabaseLock } from '../db/database-server.js';
import { migrateMaster } from '../db/master-client.js';
import type { TenantDatabase } from '../db/tenant-clients.js';
import { adminRole } from '../modules/tenants/built-in-catalogue.js';
import { createAdministrator, listAdministrators } from '../modules/users/first-administrator.js';
import { assertSealingKeys } from './assert-sealing-keys.js';
import { type CommandContext, CommandFailure } from './command-context.js';
import { reachMaster } from './database-errors.js';
import { readAnswer, readNewPassword } from './read-answer.js';
import { withContainer } from './with-container.js';

export interface BootstrapCommand {
  readonly tenant: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  /** The password is the first line of standard input. */
  readonly passwordStdin: boolean;
}

export const systemTenantId = 'system';

/**
 * Makes what is missing: the master database, the tenant (`system`: that of the operators), its first administrator.
 * Run again it changes nothing.
 */
export async function bootstrap(context: CommandContext, command: BootstrapCommand): Promise<void> {
  const { print } = context;
  const config = loadConfig(context.process.env);
  const { applied } = await reachMaster(config.masterDatabaseUrl, () => migrateMaster(config.masterDatabaseUrl));
  print(`master database: ${applied.length === 0 ? 'there already' : `applied ${applied.join(', ')}`}`);
  await withContainer(context, async (container) => {
    await assertSealingKeys(container);
    await provision(context, container, command);
    await withDatabaseLock(config.masterDatabaseUrl, `authsec/bootstrap/${command.tenant}`, async () =>
      ensureAdministrator(context, await container.tenants.open(command.tenant), command),
    );
    print(nextSteps(config.url, command.tenant));
  });
}

async function provision({ print }: CommandContext, { tenantsService }: Container, command: BootstrapCommand) {
  const { tenant: tenantId, name } = command;
  const known = (await tenantsService.list()).find(({ id }) => id === tenantId);
  if (known?.status === 'active') return print(`tenant ${tenantId}: there already`);
  const isSystem = tenantId === systemTenantId;
  const displayName = name ?? known?.displayName ?? (isSystem ? 'System' : tenantId);
  await tenantsService.provision({ tenantId, displayName, isSystem });
  print(`tenant ${tenantId}: made`);
}

async function ensureAdministrator(context: CommandContext, db: TenantDatabase, command: BootstrapCommand) {
  const there = await listAdministrators(db, adminRole.name);
  if (there.length > 0) return context.print(`administrators: ${there.join(', ')}; nobody was added`);
  const email = command.email ?? (await readAnswer(context, { variable: emailVariable, question: 'E-mail address: ' }));
  if (!z.email().safeParse(email).success) throw new CommandFailure('that is no e-mail address');
  const password = await readNewPassword(context, passwordVariable, command.passwordStdin);
  if (!(await createAdministrator(db, { email, password, role: adminRole.name }))) {
    throw new CommandFailure(`${email} is a person of the tenant already, without the role ${adminRole.name}`);
  }
  context.print(`administrator: ${email}, with the role ${adminRole.name}`);
}

const emailVariable = 'AUTHSEC_BOOTSTRAP_EMAIL';
const passwordVariable = 'AUTHSEC_BOOTSTRAP_PASSWORD';

function nextSteps(url: string, tenantId: string): string {
  return [
    `issuer: ${issuerOf(url, tenantId)}`,
    'Next:',
    '  doctor                                   what is wrong or unsafe, and what to do',
    '  serve                                    answer requests',
    `  applications create --tenant ${tenantId} --help   register an MCP server, or a client that administrates`,
  ].join('\n');
}
