import type { Config } from '../config/load-config.js';
import type { CommandContext } from './command-context.js';

/** A wrapped secret id opens once: what a command opens is not there for a start any more. */
export function warnOfSpentLogin({ warn }: Pick<CommandContext, 'warn'>, { vault }: Pick<Config, 'vault'>): void {
  if (vault?.login.method !== 'approle' || !vault.login.wrappedSecretId) return;
  warn(
    'AUTHSEC_VAULT_WRAPPED_SECRET_ID is opened by this command and opens only once: give each command and each start ' +
      'one of its own, or a command AUTHSEC_VAULT_SECRET_ID (docs/vault.md)',
  );
}
