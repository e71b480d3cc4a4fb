import type { Container } from '../container.js';
import { openDatabaseUrl } from '../db/tenant-database-url.js';
import { CommandFailure } from './command-context.js';

/**
 * Fails where the sealing keys open nothing of what the master database has sealed: a Manager with such keys would be
 * ready and serve nobody, and what it seals would open for no other.
 */
export async function assertSealingKeys({ master, sealer }: Pick<Container, 'master' | 'sealer'>): Promise<void> {
  const tenants = await master.tenant.findMany({ select: { id: true, sealedDatabaseUrl: true } });
  if (tenants.length === 0) return;
  const opens = tenants.some(({ id, sealedDatabaseUrl }) => {
    try {
      return openDatabaseUrl(sealer, id, sealedDatabaseUrl);
    } catch {
      return false;
    }
  });
  if (opens) return;
  throw new CommandFailure(
    `AUTHSEC_SEALING_KEYS (${sealer.keyIds.join(', ')}) opens nothing that is sealed in the master database: ` +
      'it is not the key of this installation (docs/sealing-keys.md)',
  );
}
