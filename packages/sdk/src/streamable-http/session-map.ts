import type { HttpSession } from './http-session.js';

export interface SessionLimits {
  readonly maxSessions: number;
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
  /** Makes room at the cost of the address with the most sessions that are not signed in; false where all are signed in. */
  makeRoom(): boolean;
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
  const { maxSessions, idleTimeoutMs, absoluteTimeoutMs } = limits;
  // In the order of their last use.
  const kept = new Map<string, Kept>();

  const isOver = ({ openedAt, usedAt, open }: Kept): boolean =>
    now() - openedAt >= absoluteTimeoutMs || (open === 0 && now() - usedAt >= idleTimeoutMs);
  const end = (id: string, { session }: Kept): void => {
    kept.delete(id);
    void session.close();
  };

  const map: SessionMap = {
    makeRoom() {
      if (kept.size < maxSessions) return true;
      map.sweep();
      if (kept.size < maxSessions) return true;
      const id = pickVictim(kept);
      const victim = id === undefined ? undefined : kept.get(id);
      if (id === undefined || !victim) return false;
      end(id, victim);
      return true;
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

/** Of the address that has the most sessions without a login: the one that was idle longest, else the one used longest ago. */
function pickVictim(kept: ReadonlyMap<string, Kept>): string | undefined {
  const byAddress = new Map<string, { id: string; isIdle: boolean }[]>();
  for (const [id, { session, open }] of kept) {
    if (session.isSignedIn()) continue;
    const ofAddress = byAddress.get(session.address);
    const candidate = { id, isIdle: open === 0 };
    if (ofAddress) ofAddress.push(candidate);
    else byAddress.set(session.address, [candidate]);
  }
  let most: { id: string; isIdle: boolean }[] = [];
  for (const candidates of byAddress.values()) if (candidates.length > most.length) most = candidates;
  return (most.find(({ isIdle }) => isIdle) ?? most[0])?.id;
}
