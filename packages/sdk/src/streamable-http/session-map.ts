import type { HttpSession } from './http-session.js';

export interface SessionLimits {
  readonly maxSessions: number;
  /** Without a login, of one address: each costs as much memory as a server with all of its tools. */
  readonly maxStrangersPerAddress: number;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
}

interface Kept {
  readonly session: HttpSession;
  readonly openedAt: number;
  usedAt: number;
  /** Requests and streams that are open. */
  open: number;
}

/** The sessions of one endpoint by `Mcp-Session-Id`, with their limits. `now` is monotonic, in milliseconds. */
export interface SessionMap {
  /**
   * Makes room for a session from this address: at its own cost where it has as many that are not signed in as it may,
   * at that of the address with the most of them where the map is full; false where all are signed in.
   */
  makeRoom(address: string): boolean;
  add(id: string, session: HttpSession): void;
  /** The session, in use until `release` is called; undefined where it is unknown or over. */
  use(id: string): { readonly session: HttpSession; readonly release: () => void } | undefined;
  /** Takes it out, without closing it. */
  remove(id: string): void;
  /** Closes what has been idle, or open, for too long. */
  sweep(): void;
  closeAll(): Promise<void>;
  readonly size: number;
}

export function createSessionMap(limits: SessionLimits, now: () => number): SessionMap {
  const { maxSessions, maxStrangersPerAddress, idleTimeoutMs, absoluteTimeoutMs } = limits;
  // In the order of their last use.
  const kept = new Map<string, Kept>();

  const isOver = ({ openedAt, usedAt, open }: Kept): boolean =>
    now() - openedAt >= absoluteTimeoutMs || (open === 0 && now() - usedAt >= idleTimeoutMs);
  const end = (id: string, { session }: Kept): void => {
    kept.delete(id);
    void session.close();
  };

  /** The one that was idle longest, else the one used longest ago. */
  const endOne = (candidates: readonly Candidate[]): boolean => {
    const victim = candidates.find(({ entry }) => entry.open === 0) ?? candidates[0];
    if (victim) end(victim.id, victim.entry);
    return victim !== undefined;
  };

  const map: SessionMap = {
    makeRoom(address) {
      if (kept.size < Math.min(maxSessions, maxStrangersPerAddress)) return true;
      map.sweep();
      const strangers = strangersByAddress(kept);
      const own = strangers.get(address) ?? [];
      if (own.length >= maxStrangersPerAddress) return endOne(own);
      return kept.size < maxSessions || endOne(most([...strangers.values()]));
    },
    add: (id, session) => void kept.set(id, { session, openedAt: now(), usedAt: now(), open: 0 }),
    use(id) {
      const found = kept.get(id);
      if (!found) return undefined;
      if (isOver(found)) {
        end(id, found);
        return undefined;
      }
      const touch = (): void => {
        found.usedAt = now();
        if (kept.delete(id)) kept.set(id, found);
      };
      touch();
      found.open += 1;
      let isReleased = false;
      return {
        session: found.session,
        release() {
          if (isReleased) return;
          isReleased = true;
          found.open -= 1;
          if (kept.get(id) === found) touch();
        },
      };
    },
    remove: (id) => void kept.delete(id),
    sweep() {
      for (const [id, entry] of kept) if (isOver(entry)) end(id, entry);
    },
    async closeAll() {
      const all = [...kept.values()];
      kept.clear();
      await Promise.all(all.map(({ session }) => session.close()));
    },
    get size() {
      return kept.size;
    },
  };
  return map;
}

interface Candidate {
  readonly id: string;
  readonly entry: Kept;
}

/** The sessions without a login, in the order of their last use. */
function strangersByAddress(kept: ReadonlyMap<string, Kept>): Map<string, Candidate[]> {
  const byAddress = new Map<string, Candidate[]>();
  for (const [id, entry] of kept) {
    if (entry.session.isSignedIn()) continue;
    const { address } = entry.session;
    const ofAddress = byAddress.get(address);
    if (ofAddress) ofAddress.push({ id, entry });
    else byAddress.set(address, [{ id, entry }]);
  }
  return byAddress;
}

function most(lists: readonly Candidate[][]): readonly Candidate[] {
  return lists.reduce<readonly Candidate[]>((longest, list) => (list.length > longest.length ? list : longest), []);
}
