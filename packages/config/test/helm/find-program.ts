import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const installed = join(import.meta.dirname, '../../../../.authsec/helm/bin');

/** What the variable names, else on PATH, else where `.ci/run` installs it; with AUTHSEC_REQUIRE_HELM=1 it must be there. */
function findProgram(name: string, variable: string): string | undefined {
  const told = process.env[variable];
  if (told) return told;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), installed];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (!found && process.env['AUTHSEC_REQUIRE_HELM'] === '1') throw new Error(`${name} is required and is not there`);
  return found;
}

export const helm = findProgram('helm', 'AUTHSEC_HELM_PATH');
/** Kubernetes' own schemas, from PyPI. */
export const kubernetesValidate = findProgram('kubernetes-validate', 'AUTHSEC_KUBERNETES_VALIDATE_PATH');
