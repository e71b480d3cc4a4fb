import { loadConfig } from '../config/load-config.js';
import { createMasterDatabase, migrateMaster } from '../db/master-client.js';
import { migrateTenants, type TenantMigration } from '../db/tenant-migrator.js';
import { createAesGcmSealer } from '../integrations/aes-gcm-sealer.js';
import { unwrapSealingKeys } from '../integrations/vault/vault-sealing-keys.js';
import { type CommandContext, CommandFailure, describeError } from './command-context.js';
import { formatTable } from './text-table.js';

export interface MigrateCommand {
  /** So many tenants first, one after the other; a failure among them leaves the rest as it is. */
  readonly canary: number;
  /** Skips the tenants that the master records as done. */
  readonly resume: boolean;
  readonly concurrency: number;
}

/** Brings the master and every tenant's database up to date; CommandFailure where one of them could not be. */
export async function migrate(context: CommandContext, command: MigrateCommand): Promise<void> {
  const { print } = context;
  const config = await unwrapSealingKeys(loadConfig(context.process.env));
  const { applied } = await migrateMaster(config.masterDatabaseUrl);
  print(`master: ${describeApplied(applied)}`);
  const master = createMasterDatabase({ databaseUrl: config.masterDatabaseUrl, onError: () => {} });
  try {
    const report = await migrateTenants({
      master,
      sealer: createAesGcmSealer(config.sealingKeys),
      canaries: command.canary,
      all: !command.resume,
      concurrency: command.concurrency,
      onMigrated: (migration) => print(describeMigration(migration)),
    });
    summarise(context, report);
  } finally {
    await master.$disconnect();
  }
}

function summarise({ process: { stderr }, print, warn }: CommandContext, report: readonly TenantMigration[]): void {
  const failures = report.filter(({ error }) => error !== undefined);
  const left = (report[0]?.total ?? 0) - report.length;
  if (failures.length === 0) return print(`${report.length} tenant(s) up to date`);
  const rows = failures.map(({ tenantId, error }) => [tenantId, describeError(error)]);
  warn(
    formatTable(
      [
        { title: 'tenant', most: 30 },
        { title: 'why it failed', share: 1 },
      ],
      rows,
      stderr.columns,
    ),
  );
  const rest = left > 0 ? `, ${left} not tried after a canary failed` : '';
  throw new CommandFailure(
    `${failures.length} of ${report.length + left} tenant(s) failed${rest}; put it right, then run \`migrate --resume\``,
  );
}

function describeMigration({ position, total, tenantId, applied, error }: TenantMigration): string {
  const counter = `[${String(position).padStart(String(total).length)}/${total}]`;
  return `${counter} ${tenantId}: ${error === undefined ? describeApplied(applied) : 'FAILED'}`;
}

function describeApplied(applied: readonly string[]): string {
  return applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`;
}
