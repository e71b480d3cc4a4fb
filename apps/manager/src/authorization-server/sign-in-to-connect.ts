/** Why somebody signs in who is to go on to a link of `<issuer>/connect`, as their interaction says it. */
export const connectReason = 'connect_account';

/** Where the sign-in page sends them. */
export function signedInUrlOf(issuer: string, uid: string): string {
  return `${issuer}/connect/signed-in/${uid}`;
}
