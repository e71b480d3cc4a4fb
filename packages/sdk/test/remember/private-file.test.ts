import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, chown, link, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  NotPrivateError,
  openPrivateFolder,
  readPrivateFile,
  writePrivateFile,
} from '../../src/remember/private-file.js';
import { stateFolderOf } from '../../src/remember/state-folder.js';

let root: string;
let folder: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'authsec-private-'));
  folder = join(root, 'state', 'authsec');
  path = join(folder, 'login.json');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const modeOf = async (file: string) => (await lstat(file)).mode & 0o777;
const asRoot = process.getuid?.() === 0 ? test : test.skip;

describe('a private file', () => {
  test('is its person’s alone, and so is its folder, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await writePrivateFile(path, 'secret');
    } finally {
      process.umask(before);
    }
    expect([await modeOf(folder), await modeOf(path)]).toEqual([0o700, 0o600]);
    expect(await readPrivateFile(path)).toBe('secret');
  });

  test('that is not there is none', async () => {
    expect(await readPrivateFile(path)).toBeUndefined();
  });

  test('is found whole by whoever reads while it is written, and leaves nothing beside it', async () => {
    await writePrivateFile(path, 'a'.repeat(10_000));
    const found = new Set<string>();
    const writing = (async () => {
      for (let round = 0; round < 20; round++) await writePrivateFile(path, 'ab'[round % 2]!.repeat(10_000));
    })();
    for (let round = 0; round < 40; round++) found.add((await readPrivateFile(path)) ?? '');
    await writing;
    expect([...found].filter((text) => !/^(a{10000}|b{10000})$/.test(text))).toEqual([]);
    expect(await readdir(folder)).toEqual(['login.json']);
  });

  test.each([0o640, 0o604, 0o660, 0o666, 0o620])('that others could use (%i) is refused', async (mode) => {
    await writePrivateFile(path, 'secret');
    await chmod(path, mode);
    await expect(readPrivateFile(path)).rejects.toThrow(NotPrivateError);
  });

  test('that is a link is refused, wherever it leads', async () => {
    await writePrivateFile(join(folder, 'real'), 'secret');
    await symlink(join(folder, 'real'), path);
    await expect(readPrivateFile(path)).rejects.toThrow(NotPrivateError);
  });

  test('that has a second name is refused', async () => {
    await writePrivateFile(path, 'secret');
    await link(path, join(root, 'elsewhere'));
    await expect(readPrivateFile(path)).rejects.toThrow(NotPrivateError);
  });

  test('that is a folder is refused', async () => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await expect(readPrivateFile(path)).rejects.toThrow(NotPrivateError);
  });

  asRoot('of another user is refused, and so is another user’s folder', async () => {
    await writePrivateFile(path, 'secret');
    await chown(path, 12_345, 12_345);
    await expect(readPrivateFile(path)).rejects.toThrow(NotPrivateError);
    await chown(folder, 12_345, 12_345);
    await expect(writePrivateFile(path, 'secret')).rejects.toThrow(NotPrivateError);
  });

  test('written over a link replaces the link, and not what it leads to', async () => {
    await openPrivateFolder(folder);
    await writeFile(join(root, 'target'), 'untouched');
    await symlink(join(root, 'target'), path);
    await writePrivateFile(path, 'secret');
    expect([(await lstat(path)).isFile(), await readPrivateFile(join(root, 'target')).catch(() => 'refused')]).toEqual([
      true,
      'refused',
    ]);
  });

  test.each([0o750, 0o705, 0o777])('is not written into a folder that others may enter (%i)', async (mode) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, mode);
    await expect(writePrivateFile(path, 'secret')).rejects.toThrow(NotPrivateError);
    expect(await readdir(folder)).toEqual([]);
  });

  test('is not written into a folder that is a link', async () => {
    await mkdir(join(root, 'elsewhere'), { mode: 0o700 });
    await mkdir(join(root, 'state'));
    await symlink(join(root, 'elsewhere'), folder);
    await expect(writePrivateFile(path, 'secret')).rejects.toThrow(NotPrivateError);
    expect(await readdir(join(root, 'elsewhere'))).toEqual([]);
  });
});

describe('the state folder', () => {
  test.each<[NodeJS.Platform, Record<string, string>, string]>([
    ['linux', {}, '/home/ada/.local/state/authsec'],
    ['linux', { XDG_STATE_HOME: '/var/ada' }, '/var/ada/authsec'],
    ['linux', { XDG_STATE_HOME: 'relative' }, '/home/ada/.local/state/authsec'],
    ['linux', { XDG_STATE_HOME: '' }, '/home/ada/.local/state/authsec'],
    ['darwin', { XDG_STATE_HOME: '/var/ada' }, '/home/ada/Library/Application Support/authsec'],
    ['win32', { LOCALAPPDATA: '/ada/local' }, '/ada/local/authsec'],
    ['win32', {}, '/home/ada/AppData/Local/authsec'],
  ])('is on %s with %j: %s', (platform, env, expected) => {
    expect(stateFolderOf(env, platform, '/home/ada')).toBe(expected);
  });
});
