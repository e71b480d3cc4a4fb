import { join } from 'node:path';
import { stopPostmaster } from '@authsec/config/embedded-postgres';
import { removeDevFile } from './dev-file.js';
import type { DevSettings } from './dev-settings.js';
import { startDevStack, type RunningStack } from './dev-stack.js';
import { acquireInstanceLock } from './instance-lock.js';
import { watchLaunchers } from './launchers.js';
import { resetStateDirectory } from './state-directory.js';
import { createStopRequest, Stopped, type StopReason, type StopRequest } from './stop-request.js';
import { formatSummary } from './summary-table.js';

const graceMs = 10_000;

/** Runs the whole development stack until it is asked to stop; the exit code. DevError where it cannot start. */
export async function superviseDevStack(settings: DevSettings, print: (line: string) => void): Promise<number> {
  const lock = await acquireInstanceLock(join(settings.directory, 'supervisor.lock'));
  const devFile = join(settings.directory, 'dev.json');
  const request = createStopRequest();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => request.stop({ message: `${signal}: stopping, the data is kept`, failed: false }));
  }
  const unwatch = watchLaunchers((name) => request.stop({ message: `${name} is gone: stopping`, failed: true }));
  const running: RunningStack = { children: [] };
  try {
    await removeDevFile(devFile);
    await stopPostmaster(join(settings.directory, 'postgres'));
    if (settings.reset) await resetStateDirectory(settings.directory);
    const reason = await runUntilStopped(request, async () => {
      const file = await startDevStack({
        settings,
        request,
        print,
        running,
        portPatienceMs: lock.abandoned ? graceMs : 0,
      });
      print(formatSummary(file));
      print('Ready. Ctrl-C stops everything and keeps the data.');
    });
    print(`\n${reason.message}`);
    return reason.failed ? 1 : 0;
  } finally {
    await removeDevFile(devFile);
    await stopStack(running);
    unwatch();
    await lock.release();
  }
}

async function runUntilStopped(request: StopRequest, start: () => Promise<void>): Promise<StopReason> {
  try {
    await start();
    return await request.requested;
  } catch (error) {
    if (error instanceof Stopped) return error.reason;
    throw error;
  }
}

/** What uses the database goes before it. */
async function stopStack({ children, postgres, vault }: RunningStack): Promise<void> {
  await Promise.all(children.map((child) => child.stop(graceMs)));
  await (await vault?.catch(() => undefined))?.server?.stop();
  const server = await postgres?.catch(() => undefined);
  await server?.stop();
}
