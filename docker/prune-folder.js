// Takes out of a deployed folder what no running process reads: declarations, source maps, manuals, sources of packages
// of the workspace, what is there twice, and Prisma's query compilers for other databases than PostgreSQL.
// Usage: node docker/prune-folder.js <folder>
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
if (!folder) throw new TypeError('usage: node docker/prune-folder.js <folder>');

const unread = [
  /\.d\.[cm]?ts$/,
  /\.map$/,
  /\.(md|markdown)$/i,
  /\.tsbuildinfo$/,
  /@authsec\/[^/]+\/(src|test|scripts)\//,
  /^(src|test)\//,
  /^(pnpm-lock|pnpm-workspace)\.yaml$/,
  /@prisma\/client\/runtime\/query_compiler_(?!fast_bg\.postgresql\.(mjs|wasm-base64\.mjs)$)/,
  /@prisma\/client\/runtime\/.*edge/,
  // The same code for bundlers; Node loads `build/src`. And names that no package of theirs loads.
  /@opentelemetry\/[^/]+\/build\/(esm|esnext)\//,
  /@opentelemetry\/semantic-conventions\/dist\/(index-incubating|experimental_)/,
];

let removed = 0;
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const name = path.slice(join(folder, '/').length).replaceAll('\\', '/');
  if (/(^|\/)licen[cs]e/i.test(name) || !unread.some((pattern) => pattern.test(name))) continue;
  removed += statSync(path).size;
  rmSync(path);
}
process.stdout.write(`${(removed / 1e6).toFixed(1)} MB taken out of ${folder}\n`);
