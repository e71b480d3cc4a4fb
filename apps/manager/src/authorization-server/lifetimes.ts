/** How long each thing lives, in seconds. */
export const lifetimes = {
  accessToken: 10 * 60,
  /** A code that a program fetches at once. */
  code: 60,
  /** A code that a person carries from the completion page; useless without the verifier. */
  carriedCode: 10 * 60,
  /** The JWT on the completion page. */
  pasteToken: 5 * 60,
  /** From `oauth_start` to the button behind the link. */
  pushedLogin: 10 * 60,
  /** From the button to the sign-in page; fixed by oidc-provider. */
  pushedRequest: 60,
  interaction: 15 * 60,
  /** The browser knows who is there. */
  browserSession: 8 * 60 * 60,
  idToken: 10 * 60,
  refreshToken: 14 * 24 * 60 * 60,
  /** A login: in-band, with a refresh token, or good for one access token. */
  inBandLogin: 12 * 60 * 60,
  refreshableLogin: 14 * 24 * 60 * 60,
  plainLogin: 15 * 60,
} as const;
