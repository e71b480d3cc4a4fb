import { type Config, ConfigError, loadConfig } from '../config/load-config.js';
import { type CommandContext, CommandFailure, describeError } from './command-context.js';
import { checkDatabases } from './doctor/check-databases.js';
import { checkIssuer } from './doctor/check-issuer.js';
import { checkSecretStore } from './doctor/check-secret-store.js';
import { checkSettings } from './doctor/check-settings.js';
import { checkTenants } from './doctor/check-tenants.js';
import { type Finding, type FindingStatus, fail } from './doctor/finding.js';
import { formatTable } from './text-table.js';
import { withContainer } from './with-container.js';

export interface DoctorCommand {
  readonly json: boolean;
  /** Warnings fail too. */
  readonly strict: boolean;
}

/** Looks at everything that a Manager needs and changes nothing. CommandFailure where something is wrong. */
export async function doctor(context: CommandContext, { json, strict }: DoctorCommand): Promise<void> {
  const findings = await examine(context);
  const count = (status: FindingStatus) => findings.filter((finding) => finding.status === status).length;
  const bad = count('fail') + (strict ? count('warn') : 0);
  context.print(
    json
      ? JSON.stringify({ ok: bad === 0, findings }, undefined, 2)
      : tableOf(findings, context.process.stdout.columns),
  );
  if (bad > 0) throw new CommandFailure(`${count('fail')} to put right, ${count('warn')} to look at`);
}

async function examine(context: CommandContext): Promise<Finding[]> {
  let config: Config;
  try {
    config = loadConfig(context.process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => fail('settings', problem, 'docs/configuration.md'));
  }
  const settings = checkSettings(config, context.process.env);
  const databases = await checkDatabases(config);
  if (databases.some(({ status, check }) => status === 'fail' && check === 'master database')) {
    return [...settings, ...databases];
  }
  try {
    return await withContainer(context, async (container) => {
      const system = (await container.tenantsService.list()).find(({ isSystem }) => isSystem);
      return [
        ...settings,
        ...databases,
        ...(await checkSecretStore(container)),
        ...(await checkTenants(container)),
        ...(await checkIssuer(config, system?.id)),
      ];
    });
  } catch (error) {
    return [...settings, ...databases, fail('start', describeError(error), 'the Manager would not start either')];
  }
}

function tableOf(findings: readonly Finding[], terminalColumns: number | undefined): string {
  const columns = [
    { title: '', most: 4 },
    { title: 'check', most: 20 },
    { title: 'found', share: 3 },
    { title: 'what to do', share: 2 },
  ];
  const rows = findings.map(({ status, check, found, advice = '' }) => [status, check, found, advice]);
  return formatTable(columns, rows, terminalColumns);
}
