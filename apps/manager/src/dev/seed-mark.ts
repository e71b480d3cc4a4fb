import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DevUrls } from './dev-file.js';
import { demoTenants, systemTenant } from './seed-data.js';
import { writePrivateFile, type StateDirectory } from './state-directory.js';

/** What an earlier start has done, so that a later one need not look: on which cluster, at which ports, with which data. */
export interface SeedMark {
  readonly cluster: number;
  readonly port: number;
  readonly data: string;
  readonly demo: string;
  readonly providers: string;
}

export async function readSeedMark({ path }: StateDirectory): Promise<SeedMark | undefined> {
  try {
    return JSON.parse(await readFile(join(path, 'seeded'), 'utf8')) as SeedMark;
  } catch {
    return undefined;
  }
}

export async function writeSeedMark({ path }: StateDirectory, mark: SeedMark): Promise<void> {
  await writePrivateFile(join(path, 'seeded'), JSON.stringify(mark));
}

/** What the mark must be for the running server to need no seeding. */
export async function currentSeedMark(
  { cluster }: StateDirectory,
  serverUrl: string,
  { demo, providers }: DevUrls,
): Promise<SeedMark> {
  const { mtimeMs } = await stat(join(cluster, 'PG_VERSION'));
  const data = createHash('sha256').update(JSON.stringify([systemTenant, ...demoTenants]));
  const port = Number(new URL(serverUrl).port);
  return { cluster: mtimeMs, port, data: data.digest('base64url'), demo, providers };
}

export function isSameMark(a: SeedMark | undefined, b: SeedMark): boolean {
  return isDeepStrictEqual(a, b);
}
