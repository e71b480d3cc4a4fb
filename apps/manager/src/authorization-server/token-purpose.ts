/** `session`: what a public client reads, renews and ends its own session with. `paste`: the JWT on the completion page. */
export type TokenPurpose = 'session' | 'paste';

/** By the token object, which lives as long as the request that it is made in. */
const purposes = new WeakMap<object, TokenPurpose>();

export function setPurpose<Token extends object>(token: Token, purpose: TokenPurpose): Token {
  purposes.set(token, purpose);
  return token;
}

/** Undefined for the token of an ordinary exchange. */
export function purposeOf(token: object): TokenPurpose | undefined {
  return purposes.get(token);
}
