import type { AuthSecOptions } from '../session/login-service.js';

const variables = { issuer: 'AUTHSEC_ISSUER', clientId: 'AUTHSEC_CLIENT_ID', clientSecret: 'AUTHSEC_CLIENT_SECRET' };

/** Fills in what was not given from the environment. Throws a TypeError that names what is in neither; on stdio there need be no secret. */
export function withEnvironment(
  options: Partial<AuthSecOptions>,
  { stdio }: { readonly stdio: boolean },
): AuthSecOptions {
  const found: Record<string, unknown> = { ...options };
  for (const [option, variable] of Object.entries(variables)) {
    // oxlint-disable-next-line node/no-process-env -- what runs as a program of its own is set up by its environment
    const value = found[option] ?? process.env[variable];
    if (value !== undefined) found[option] = value;
    else if (option !== 'clientSecret' || !stdio) {
      throw new TypeError(`${option}: must be given, as an option or as ${variable} in the environment`);
    }
  }
  return found as unknown as AuthSecOptions;
}
