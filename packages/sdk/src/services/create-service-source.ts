import type { BoundLogin } from '../grants/bound-login.js';
import type { LoginContext } from '../session/login-context.js';
import type { ManagerAccess } from '../session/manager-access.js';
import type { ServiceSource } from './service-source.js';

/** The services of one MCP session, for the login that is bound to it at the moment. */
export function createServiceSource(
  { clock, network }: Pick<LoginContext, 'clock' | 'network'>,
  closed: AbortSignal,
  signedIn: () => { readonly login: BoundLogin; readonly access: ManagerAccess } | undefined,
): ServiceSource {
  return {
    clock,
    network,
    closed,
    person() {
      const found = signedIn();
      if (!found) return undefined;
      const { login, access } = found;
      const { sid, sub, tenantId } = login;
      return {
        sub,
        tenantId,
        issue: (request, signal) => access.services.issueCredential({ sid, ...request }, { signal }),
        async renewLease(leaseId, tool, signal) {
          return (await access.services.renewLease(leaseId, { tool }, { signal, maxRetries: 0 })).expires_in;
        },
        async connect(service, signal) {
          return (await access.services.connect({ sid, service }, { signal })).connect_url;
        },
        endLease: async (leaseId) => void (await access.leases.end(leaseId)),
        async check(signal) {
          const { sessions } = await access.sessions.renew([sid], { signal, maxRetries: 0 });
          return sessions.some((session) => session.sid === sid && session.status === 'active');
        },
      };
    },
  };
}
