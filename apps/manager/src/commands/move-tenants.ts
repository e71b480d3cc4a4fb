import { createTenantClient } from '@authsec/prisma/tenant';
import { Secret } from '../config/secret.js';
import type { Container } from '../container.js';
import { openDatabaseUrl, sealDatabaseUrl } from '../db/tenant-database-url.js';
import { type CommandContext, CommandFailure, describeError } from './command-context.js';
import { withContainer } from './with-container.js';

export interface MoveTenantsCommand {
  readonly tenant: string | undefined;
  readonly all: boolean;
  /** `<host>[:<port>]` of the PostgreSQL server that their databases are on now. */
  readonly to: string;
}

/** Tells the master where tenants' databases are now: after each was opened there and bears its tenant's stamp. */
export async function moveTenants(context: CommandContext, command: MoveTenantsCommand): Promise<void> {
  if ((command.tenant === undefined) === !command.all) throw new CommandFailure('say either --tenant <id> or --all');
  if (!URL.canParse(`postgresql://${command.to}/`) || /[/@?#]/.test(command.to)) {
    throw new CommandFailure('--to takes <host> or <host>:<port>');
  }
  await withContainer(context, async (container) => {
    const { tenantsService } = container;
    const ids = (await tenantsService.list()).map(({ id }) => id);
    let failed = 0;
    for (const tenantId of command.tenant === undefined ? ids : [command.tenant]) {
      try {
        await move(container, tenantId, command.to);
        context.print(`${tenantId}: on ${command.to}`);
      } catch (error) {
        failed++;
        context.warn(`${tenantId}: FAILED: ${describeError(error)}`);
      }
    }
    if (failed > 0) throw new CommandFailure(`${failed} tenant(s) stay where they were`);
  });
}

async function move({ tenantsService, master, sealer, tenants }: Container, id: string, to: string): Promise<void> {
  const { sealedDatabaseUrl } = await tenantsService.get(id);
  const url = new URL(openDatabaseUrl(sealer, id, sealedDatabaseUrl).reveal());
  url.port = '';
  url.host = to;
  const db = createTenantClient({ url: url.href, maxConnections: 1 });
  try {
    const stamp = await db.stamp.findFirst();
    if (stamp?.tenantId !== id) throw new CommandFailure(`the database there bears the stamp ${stamp?.tenantId}`);
  } finally {
    await db.$disconnect();
  }
  const moved = sealDatabaseUrl(sealer, id, new Secret(url.href));
  await master.tenant.update({ where: { id, sealedDatabaseUrl }, data: { sealedDatabaseUrl: moved } });
  tenants.forget(id);
}
