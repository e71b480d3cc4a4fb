import { randomUUID } from 'node:crypto';
import { rotateSigningKey } from '../modules/signing-keys/rotate-signing-key.js';
import { type CommandContext, CommandFailure, describeError } from './command-context.js';
import { withContainer } from './with-container.js';

export interface RotateKeysCommand {
  readonly tenant: string | undefined;
  readonly all: boolean;
  readonly overlap: number;
}

/** A new key signs from now on; what the old one signed verifies for `overlap` seconds more. */
export async function rotateKeys(context: CommandContext, command: RotateKeysCommand): Promise<void> {
  if ((command.tenant === undefined) === !command.all) throw new CommandFailure('say either --tenant <id> or --all');
  await withContainer(context, async ({ tenants, tenantsService, generateSigningKey, events }) => {
    const active = (await tenantsService.list()).filter(({ status }) => status === 'active').map(({ id }) => id);
    let failed = 0;
    for (const tenantId of command.tenant === undefined ? active : [command.tenant]) {
      try {
        const kid = await rotateSigningKey(
          {
            tenantId,
            db: await tenants.open(tenantId),
            overlapSeconds: command.overlap,
            actor: { kind: 'system', id: null },
            requestId: `cli-${randomUUID()}`,
          },
          { generateSigningKey, events },
        );
        context.print(`${tenantId}: ${kid} signs now`);
      } catch (error) {
        failed++;
        context.warn(`${tenantId}: FAILED: ${describeError(error)}`);
      }
    }
    if (failed > 0) throw new CommandFailure(`${failed} tenant(s) kept their key`);
  });
}
