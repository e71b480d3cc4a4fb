import type { Issuer, Sessions } from '@authsec/manager-client';
import type { Logger } from '../author-log.js';
import type { AccessTokenClaims } from '../bearer/verify-access-token.js';
import type { Clock } from '../clock.js';
import type { GrantStore } from '../grants/grant-store.js';
import type { Revocations } from '../grants/revocations.js';
import type { ExchangeCode } from './exchange-code.js';
import type { PushLogin } from './push-login.js';

/** What all logins of one `authsec()` share. */
export interface LoginContext {
  readonly issuer: Issuer;
  readonly sessions: Pick<Sessions, 'bind'>;
  readonly pushLogin: PushLogin;
  readonly exchangeCode: ExchangeCode;
  readonly verifyToken: (
    token: string,
    login: { readonly sessionId: string; readonly audience: string },
  ) => Promise<AccessTokenClaims>;
  readonly grants: GrantStore;
  readonly revocations: Revocations;
  readonly clock: Clock;
  readonly log: Logger;
}
