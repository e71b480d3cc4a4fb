/** The logins of one `authsec()`, as metrics are made of them. */
export interface WatchedLogins {
  readonly count: () => number;
  /** Milliseconds since the rights of each were last confirmed. */
  readonly leaseAgesMs: () => readonly number[];
}

const watched = new Set<WatchedLogins>();

/** Returns what forgets them. */
export function watchLogins(logins: WatchedLogins): () => void {
  watched.add(logins);
  return () => watched.delete(logins);
}

export function loginsNow(): number {
  let count = 0;
  for (const logins of watched) count += logins.count();
  return count;
}

/** 0 where nobody is signed in. */
export function oldestLeaseAgeMs(): number {
  let oldest = 0;
  for (const logins of watched) for (const age of logins.leaseAgesMs()) oldest = Math.max(oldest, age);
  return oldest;
}
