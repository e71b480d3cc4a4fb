// Reads a Dockerfile as far as this repository's are written: what each stage runs, copies and sets.
import { readFileSync } from 'node:fs';
import { DockerfileParser } from 'dockerfile-ast';

/** `[{ name, from, instructions: [{ keyword, flags, words, list, text }] }]`, ARGs and continued lines resolved. */
export function readDockerfile(path) {
  const dockerfile = DockerfileParser.parse(readFileSync(path, 'utf8'));
  const stages = [];
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') {
      stages.push({
        from: instruction.getImage(),
        digest: instruction.getImageDigest(),
        name: instruction.getBuildStage(),
        instructions: [],
      });
      continue;
    }
    const text = instruction.getArgumentsContent()?.replaceAll(/\\\r?\n\s*/g, ' ') ?? '';
    const flags = (instruction.getFlags?.() ?? []).map((flag) => [flag.getName(), flag.getValue()]);
    stages
      .at(-1)
      ?.instructions.push({ keyword, text, words: words(text), list: list(text), flags: Object.fromEntries(flags) });
  }
  return stages;
}

/** The instruction of a stage that counts: the last one. */
export function lastOf(stage, keyword) {
  return stage.instructions.findLast((instruction) => instruction.keyword === keyword);
}

/** `A=1 B="two words"` as an object. */
export function assignments(instructions) {
  const found = {};
  for (const { text } of instructions) {
    for (const [, name, quoted, plain] of text.matchAll(/([\w.-]+)=(?:"([^"]*)"|(\S*))/g))
      found[name] = quoted ?? plain;
  }
  return found;
}

function words(text) {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The exec form, for CMD, ENTRYPOINT and HEALTHCHECK alike; undefined for the shell form. */
function list(text) {
  const start = text.indexOf('[');
  if (start < 0) return undefined;
  try {
    return JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
}
