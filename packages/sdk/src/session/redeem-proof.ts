import { randomBytes } from 'node:crypto';
import { AuthSecError } from '../authsec-error.js';
import type { LoginContext } from './login-context.js';
import type { PendingLogin, Proof, RedeemedLogin } from './pending-login.js';
import { createLoginRefresher } from './refresh-login.js';
import { sameSecret } from './same-secret.js';
import type { LoginTokens } from './token-endpoint.js';

/** Makes tokens of what the person brought, once; `onOver` is called where no other proof can follow. */
export async function redeemProof(
  context: LoginContext,
  pending: PendingLogin,
  proof: Proof,
  onOver: (error: unknown) => void,
): Promise<RedeemedLogin> {
  if (pending.redeemed) {
    if (isSameProof(pending.redeemed.proof, proof)) return pending.redeemed;
    const code = proof.kind === 'code' ? 'code_refused' : 'token_already_used';
    throw new AuthSecError(code, 'this login was already redeemed with something else');
  }
  const tokens =
    proof.kind === 'token'
      ? await verifyPasted(context, pending, proof.value)
      : await exchange(context, pending, proof.value, onOver);
  const refresher = createLoginRefresher(context, { refreshToken: tokens.refreshToken });
  pending.redeemed = {
    proof,
    accessToken: tokens.accessToken,
    access: context.accesses.open(tokens, refresher),
    refresher,
    idempotencyKey: randomBytes(24).toString('base64url'),
  };
  return pending.redeemed;
}

export function isSameProof(one: Proof, other: Proof): boolean {
  return one.kind === other.kind && sameSecret(one.value, other.value);
}

/** One that is not for this login does not void it: the right one may follow. */
async function verifyPasted(context: LoginContext, pending: PendingLogin, token: string): Promise<LoginTokens> {
  await context.verifyToken(token, { sessionId: pending.sessionId, audience: pending.audience, pasted: true });
  return { accessToken: token };
}

function exchange(
  context: LoginContext,
  pending: PendingLogin,
  code: string,
  onOver: (error: unknown) => void,
): Promise<LoginTokens> {
  return context.tokens.exchangeCode({ ...pending, code }).catch((error: unknown) => {
    // A refused code was not this login's, so that the right one may follow; after anything else nobody knows what became of it.
    const reason = error instanceof AuthSecError ? error.code : undefined;
    if (reason === 'code_refused') pending.refusedCode = code;
    else if (reason !== 'too_many_attempts') onOver(error);
    throw error;
  });
}
