import { setTimeout as delay } from 'node:timers/promises';
import { takePort } from '@authsec/config/take-port';
import { DevError } from './dev-error.js';

export interface PortRequest {
  /** 0 takes a free one. */
  readonly port: number;
  readonly setting: string;
  /** What it is for, as in 'the Manager'. */
  readonly owner: string;
  /** How long to wait for one that is being given up. */
  readonly patienceMs: number;
}

/** The port, if it can be listened on; a DevError naming port and setting otherwise. */
export async function claimPort({ port, setting, owner, patienceMs }: PortRequest): Promise<number> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await takePort(port);
    } catch (error) {
      if (performance.now() < deadline) {
        await delay(100);
        continue;
      }
      const why = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'is already taken' : 'cannot be listened on';
      throw new DevError(
        `Port ${port} for ${owner} ${why}. Free it, or choose another: ${setting}=${port + 10} pnpm dev`,
        { cause: error },
      );
    }
  }
}
