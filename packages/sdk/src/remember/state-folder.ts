import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where programs keep what outlives them but is no document: the person's own folder, by the rules of each system. */
export function stateFolderOf(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'win32') return join(env['LOCALAPPDATA'] || join(home, 'AppData', 'Local'), 'authsec');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'authsec');
  const stated = env['XDG_STATE_HOME'];
  // XDG Base Directory: a relative path is invalid and is ignored.
  return join(stated && isAbsolute(stated) ? stated : join(home, '.local', 'state'), 'authsec');
}
