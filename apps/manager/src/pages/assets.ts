import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const types = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8', svg: 'image/svg+xml' } as const;

export interface Asset {
  /** Carries a hash of the content, so that it may be kept for ever. */
  readonly fileName: string;
  readonly type: string;
  readonly content: Buffer;
}

export const assets = {
  style: load('authsec', 'css'),
  copyCode: load('copy-code', 'js'),
  logo: load('authsec', 'svg'),
} as const;

const byFileName: ReadonlyMap<string, Asset> = new Map(Object.values(assets).map((asset) => [asset.fileName, asset]));

export function findAsset(fileName: string): Asset | undefined {
  return byFileName.get(fileName);
}

function load(name: string, extension: keyof typeof types): Asset {
  const content = readFileSync(new URL(`../../assets/${name}.${extension}`, import.meta.url));
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { fileName: `${name}.${hash}.${extension}`, type: types[extension], content };
}
