type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadSecretFilesOptions {
  /** The variables that may come from a file. */
  readonly secrets: readonly string[];
  /** All variables that there are. */
  readonly known: readonly string[];
  readonly readFile: (path: string) => string;
}

/** Each `<NAME>_FILE` of a secret read into `<NAME>`, without the newline at its end; what is wrong, never with a value. */
export function readSecretFiles(
  env: Environment,
  { secrets, known, readFile }: ReadSecretFilesOptions,
): { readonly env: Environment; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read: Record<string, string> = {};
  for (const name of known) {
    const fileVariable = `${name}_FILE`;
    const path = env[fileVariable];
    if (!path || known.includes(fileVariable)) continue;
    if (!secrets.includes(name)) {
      problems.push(`${fileVariable}: ${name} is no secret and is not read from a file`);
    } else if (env[name]) {
      problems.push(`${fileVariable}: set either it or ${name}, not both`);
    } else {
      try {
        read[name] = readFile(path).replace(/\r?\n$/, '');
        if (read[name] === '') problems.push(`${fileVariable}: the file is empty`);
      } catch (error) {
        problems.push(`${fileVariable}: the file cannot be read (${codeOf(error)})`);
      }
    }
  }
  return { env: { ...env, ...read }, problems };
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
