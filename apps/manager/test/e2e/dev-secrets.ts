import { deriveDevCredentials, type DevCredentials } from '../../src/dev/dev-credentials.js';
import { readSeedMark } from '../../src/dev/seed-mark.js';
import { openStateDirectory } from '../../src/dev/state-directory.js';

/** What the development stack of a state directory keeps to itself. */
export interface DevSecrets {
  readonly credentials: DevCredentials;
  /** Superuser URL of its PostgreSQL. */
  readonly serverUrl: string;
}

export async function readDevSecrets(directory: string): Promise<DevSecrets> {
  const state = await openStateDirectory(directory);
  const credentials = deriveDevCredentials(state);
  const mark = await readSeedMark(state);
  return {
    credentials,
    serverUrl: `postgresql://postgres:${credentials.postgresPassword}@127.0.0.1:${mark?.port}/postgres`,
  };
}
