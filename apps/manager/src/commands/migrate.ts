import { loadConfig } from '../config/load-config.js';
import { createMasterDatabase, migrateMaster } from '../db/master-client.js';
import { migrateTenants, type TenantMigration } from '../db/tenant-migrator.js';
import { createAesGcmSealer } from '../integrations/aes-gcm-sealer.js';
import { unwrapSealingKeys } from '../integrations/vault/vault-sealing-keys.js';
import { type CommandContext, CommandFailure, describeError } from './command-context.js';
import { reachMaster } from './database-errors.js';
import { formatTable } from './text-table.js';
import { warnOfSpentLogin } from './warn-of-spent-login.js';

export interface MigrateCommand {
  /** So many tenants first, one after the other; a failure among them leaves the rest as it is. */
  readonly canary: number;
  /** Skips the tenants that the master records as done. */
  readonly resume: boolean;
  readonly concurrency: number;
}

/** Brings the master and every tenant's database up to date; CommandFailure where one of them could not be. */
export async function migrate(context: CommandContext, command: MigrateCommand): Promise<void> {
  const { print, warn } = context;
  const interrupted = onInterrupt(context);
  const given = loadConfig(context.process.env);
  const config = await unwrapSealingKeys(given);
  // Vault was asked for the keys, and for nothing else.
  if (config !== given) warnOfSpentLogin(context, given);
  const { applied } = await reachMaster(config.masterDatabaseUrl, () =>
    migrateMaster(config.masterDatabaseUrl, () => warn('master: waits for another migration of it')),
  );
  print(`master: ${describeApplied(applied)}`);
  const master = createMasterDatabase({ databaseUrl: config.masterDatabaseUrl, onError: () => {} });
  try {
    const report = await migrateTenants({
      master,
      sealer: createAesGcmSealer(config.sealingKeys),
      canaries: command.canary,
      all: !command.resume,
      concurrency: command.concurrency,
      signal: interrupted,
      onMigrated: (migration) => print(describeMigration(migration)),
      onWait: (tenantId) => warn(`${tenantId}: waits for another migration of it`),
    });
    summarise(context, report, interrupted.aborted);
  } finally {
    await master.$disconnect();
  }
}

/** The first time, those that are being migrated come to their end; the second time it ends at once. */
function onInterrupt({ process, warn }: CommandContext): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort();
      warn('stopping: what is being migrated comes to its end first; once more ends it at once');
    });
  }
  return controller.signal;
}

function summarise(context: CommandContext, report: readonly TenantMigration[], interrupted: boolean): void {
  const { process, print, warn } = context;
  const failures = report.filter(({ error }) => error !== undefined);
  const total = report[0]?.total ?? 0;
  const left = total - report.length;
  if (interrupted && total === 0) throw new CommandFailure('stopped before any tenant; go on with `migrate --resume`');
  const stopped = interrupted && left > 0;
  if (failures.length > 0) {
    const rows = failures.map(({ tenantId, error }) => [tenantId, describeError(error)]);
    const columns = [
      { title: 'tenant', most: 30 },
      { title: 'why it failed', share: 1 },
    ];
    warn(formatTable(columns, rows, process.stderr.columns));
  } else if (!stopped) {
    return print(`${report.length} tenant(s) up to date`);
  }
  const failed = `${failures.length} of ${total} tenant(s) failed`;
  const rest = stopped
    ? `, ${left} not tried: it was stopped`
    : left > 0
      ? `, ${left} not tried after a canary failed`
      : '';
  const next = failures.length > 0 ? 'put it right (`doctor` says more), then run' : 'go on with';
  throw new CommandFailure(`${failed}${rest}; ${next} \`migrate --resume\``);
}

function describeMigration({ position, total, tenantId, applied, error }: TenantMigration): string {
  const counter = `[${String(position).padStart(String(total).length)}/${total}]`;
  return `${counter} ${tenantId}: ${error === undefined ? describeApplied(applied) : 'FAILED'}`;
}

function describeApplied(applied: readonly string[]): string {
  return applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`;
}
