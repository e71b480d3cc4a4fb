import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

interface Instruction {
  readonly keyword: string;
  readonly text: string;
  readonly list: readonly string[] | undefined;
}
interface Stage {
  readonly from: string;
  readonly digest: string | null;
  readonly instructions: readonly Instruction[];
}

const root = join(import.meta.dirname, '../../..');
const reader = (await import(join(root, 'docker/dockerfile.js'))) as {
  readDockerfile(path: string): Stage[];
  lastOf(stage: Stage, keyword: string): Instruction | undefined;
  assignments(instructions: readonly Instruction[]): Record<string, string>;
};
const dockerfiles = readdirSync(join(root, 'docker')).filter((name) => name.endsWith('.Dockerfile'));

test('there is an image of the Manager and one of the demo', () => {
  expect(dockerfiles.sort()).toEqual(['demo-mcp.Dockerfile', 'manager.Dockerfile']);
});

describe.each(dockerfiles)('%s', (name) => {
  const stages = reader.readDockerfile(join(root, 'docker', name));
  const last = stages.at(-1)!;

  test('every base is pinned by digest, and the last one has no shell', () => {
    for (const { from } of stages) expect(from).toMatch(/:[^@:]+@sha256:[0-9a-f]{64}$/);
    expect(last.from).toMatch(/^gcr\.io\/distroless\//);
    expect(last.instructions.filter(({ keyword }) => keyword === 'RUN')).toEqual([]);
  });

  test('runs as a user by number that is not root, and starts and is asked without a shell', () => {
    expect(reader.lastOf(last, 'USER')?.text).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    for (const keyword of ['ENTRYPOINT', 'HEALTHCHECK']) expect(reader.lastOf(last, keyword)?.list).toBeDefined();
  });

  test('installs from the lockfile, with the pnpm that the workspace names', () => {
    const runs = stages.flatMap(({ instructions }) => instructions.filter(({ keyword }) => keyword === 'RUN'));
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>;
    for (const { text } of runs.filter((one) => one.text.includes('pnpm'))) expect(text).toContain(packageManager);
    expect(runs.map(({ text }) => text).join('\n')).toMatch(/install --frozen-lockfile/);
  });

  test('says what it is and where its bill of materials lies', () => {
    const labels = reader.assignments(last.instructions.filter(({ keyword }) => keyword === 'LABEL'));
    for (const label of ['title', 'licenses', 'version', 'revision', 'source']) {
      expect(labels[`org.opencontainers.image.${label}`]).toBeTruthy();
    }
    expect(labels['com.authsec.sbom']).toBe('/app/sbom.cdx.json');
  });

  test('sets no secret', () => {
    const names = last.instructions
      .filter(({ keyword }) => keyword === 'ENV' || keyword === 'ARG')
      .flatMap(({ text }) => [...text.matchAll(/(\w+)=/g)].map((match) => String(match[1])));
    expect(names.filter((one) => /KEY|SECRET|PASSWORD|TOKEN|DATABASE/.test(one))).toEqual([]);
  });
});

test('.dockerignore keeps secrets, history and what was built outside away from images', () => {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  expect(lines).toEqual(expect.arrayContaining(['.git', '.env', '.authsec', '**/node_modules', '**/dist', '**/*.key']));
});
