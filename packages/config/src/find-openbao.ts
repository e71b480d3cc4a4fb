import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const installed = fileURLToPath(new URL('../../../.authsec/openbao/bin/bao', import.meta.url));

/** AUTHSEC_BAO_PATH, else `bao` on PATH, else where `.ci/run` and `pnpm dev --vault` install it; undefined without one. */
export function findOpenBao(): string | undefined {
  const told = process.env.AUTHSEC_BAO_PATH;
  if (told) return told;
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...onPath.map((folder) => join(folder, 'bao')), installed].find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
