import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Process id of the PostgreSQL that runs on this cluster, whoever started it. */
export function findPostmaster(cluster: string): number | undefined {
  const pid = readPid(join(cluster, 'postmaster.pid'));
  return pid !== undefined && pid > 1 && isPostgres(pid) ? pid : undefined;
}

/** Ends what runs on this cluster without a keeper: after the keeper was killed, or left by an earlier run. */
export async function stopPostmaster(cluster: string): Promise<void> {
  for (const [signal, patienceMs] of [['SIGINT', 8_000] as const, ['SIGKILL', 3_000] as const]) {
    const pid = findPostmaster(cluster);
    if (pid === undefined) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    const deadline = performance.now() + patienceMs;
    while (isPostgres(pid) && performance.now() < deadline) await delay(25);
  }
}

/** False for a zombie, and for another program that has got the number since. */
export function isPostgres(pid: number): boolean {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return /\(postgres\) [^ZX]/.test(stat);
    }
    process.kill(pid, 0);
    const command = execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return basename(command.trim()).startsWith('postgres');
  } catch {
    return false;
  }
}

function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch {
    return undefined;
  }
}
