import type { TenantsService } from '../modules/tenants/tenants.service.js';
import { type CommandContext, CommandFailure, describeError } from './command-context.js';
import { withContainer } from './with-container.js';

export interface RewrapKeysCommand {
  readonly tenant: string | undefined;
  readonly all: boolean;
}

/** Puts everything that is sealed under the first of AUTHSEC_SEALING_KEYS; fails while another is still needed. */
export async function rewrapKeys(context: CommandContext, command: RewrapKeysCommand): Promise<void> {
  if ((command.tenant === undefined) === !command.all) throw new CommandFailure('say either --tenant <id> or --all');
  await withContainer(context, async ({ tenantsService, sealer }) => {
    const every = (await tenantsService.list()).map(({ id }) => id);
    let failed = 0;
    for (const tenantId of command.tenant === undefined ? every : [command.tenant]) {
      try {
        const { rewrapped, remaining } = await rewrapAll(tenantsService, tenantId);
        if (remaining > 0) failed++;
        const result = `${tenantId}: ${rewrapped} put under ${sealer.keyIds[0]}`;
        if (remaining === 0) context.print(result);
        else context.warn(`${result}, ${remaining} DO NOT OPEN and stay as they are`);
      } catch (error) {
        failed++;
        context.warn(`${tenantId}: FAILED: ${describeError(error)}`);
      }
    }
    if (failed > 0) throw new CommandFailure(`${failed} tenant(s) still need another key: take none away yet`);
  });
}

async function rewrapAll(tenants: TenantsService, tenantId: string): ReturnType<TenantsService['rewrap']> {
  for (let rewrapped = 0; ;) {
    const result = await tenants.rewrap(tenantId);
    rewrapped += result.rewrapped;
    if (result.remaining === 0 || result.rewrapped === 0) return { rewrapped, remaining: result.remaining };
  }
}
