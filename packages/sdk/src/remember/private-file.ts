import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Somebody else could read or replace the file: it is neither read nor written. */
export class NotPrivateError extends Error {
  override readonly name = 'NotPrivateError';
}

const maxBytes = 64 * 1024;
const hasOwners = process.platform !== 'win32';

/** False where there is none. NotPrivateError for one that others may enter, or that leads elsewhere. */
export async function isPrivateFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return false;
  if (!found.isDirectory()) throw new NotPrivateError(`${path} is not a folder, or a link to one`);
  assertPrivate(path, found);
  return true;
}

/** Makes the folder (0700) where it is missing. NotPrivateError for one that others may enter, or that leads elsewhere. */
export async function openPrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await isPrivateFolder(path);
}

/** Undefined where there is none. NotPrivateError for a link, another person's file, or one that others may read or write. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | noFollow()).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ELOOP') throw new NotPrivateError(`${path} is a link`);
    throw error;
  });
  if (!file) return undefined;
  try {
    // Of what is open, not of what the name leads to by now.
    const found = await file.stat();
    if (!found.isFile() || found.nlink > 1) throw new NotPrivateError(`${path} is not a file of its own`);
    assertPrivate(path, found);
    if (found.size > maxBytes) throw new NotPrivateError(`${path} is larger than anything that is kept there`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Readers find the old content or the whole new one; nobody else can read it at any moment (0600). */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await openPrivateFolder(dirname(path));
  const draft = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  const file = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow(), 0o600);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path).catch(async (error: unknown) => {
    await rm(draft, { force: true });
    throw error;
  });
}

export async function removePrivateFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

function assertPrivate(path: string, found: Stats): void {
  if (!hasOwners) return;
  if (found.uid !== process.getuid?.()) throw new NotPrivateError(`${path} belongs to another user`);
  if ((found.mode & 0o077) !== 0) throw new NotPrivateError(`${path} is open to other users: chmod go-rwx`);
}

/** Windows has no such flag: there, links need a privilege. */
function noFollow(): number {
  return hasOwners ? constants.O_NOFOLLOW : 0;
}

export function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
