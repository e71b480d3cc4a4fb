import type { Issuer } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import type { AccessTokenClaims } from '../bearer/verify-access-token.js';
import type { Clock } from '../clock.js';
import type { RememberedLogins } from '../remember/remembered-login.js';
import type { ServiceNetwork } from '../services/service-network.js';
import type { ManagerAccesses } from './manager-access.js';
import type { PushLogin } from './push-login.js';
import type { TokenEndpoint } from './token-endpoint.js';

/** Where a login ends: on loopback, or on the completion page of the Manager. */
export type LoginEnd = 'loopback' | 'page';

/** What all logins of one `authsec()` share. */
export interface LoginContext {
  readonly issuer: Issuer;
  /** `isLocal`: the server runs on the machine of the one person whom it serves, over stdio. */
  readonly loginEndFor: (isLocal: boolean) => LoginEnd;
  readonly pushLogin: PushLogin;
  readonly tokens: TokenEndpoint;
  readonly verifyToken: (
    token: string,
    login: { readonly sessionId: string; readonly audience: string; readonly pasted?: boolean },
  ) => Promise<AccessTokenClaims>;
  readonly accesses: ManagerAccesses;
  /** Undefined where logins end with the process. */
  readonly remembered: RememberedLogins | undefined;
  readonly network: ServiceNetwork;
  readonly clock: Clock;
  readonly log: Logger;
}
