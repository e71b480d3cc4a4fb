import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

export interface InstalledSize {
  readonly bytes: number;
  readonly files: number;
  /** Names of the packages, sorted. */
  readonly packages: readonly string[];
}

/** What an install left in `node_modules`, without npm’s own notes and links. */
export async function installedSize(nodeModules: string): Promise<InstalledSize> {
  const entries = await readdir(nodeModules, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== '.package-lock.json')
    .map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const packages = files
    .filter((file) => file.endsWith(`${sep}package.json`))
    .map((file) => file.slice(nodeModules.length + 1, -`${sep}package.json`.length).replaceAll(sep, '/'))
    .filter((path) => /^(@[^/]+\/)?[^/]+$/.test(path.split('node_modules/').at(-1) ?? ''));
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: files.length, packages: packages.sort() };
}
