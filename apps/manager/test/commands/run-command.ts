import { PassThrough } from 'node:stream';
import { createCommandContext, explainError } from '../../src/commands/command-context.js';
import { runCommand } from '../../src/commands/run-command.js';

export interface CommandRun {
  /** 0, or 1 where it failed, as main.ts ends the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the image in this process, with an environment and a standard input of its own. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<CommandRun> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const fake = { env, stdin, stdout, stderr, on: () => fake, exit: () => {} };
  const context = createCommandContext(fake as unknown as NodeJS.Process);
  const code = await runCommand(context, args).then(
    () => 0,
    (error: unknown) => {
      context.warn(explainError(error));
      return 1;
    },
  );
  const read = (stream: PassThrough) => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, stdout: read(stdout), stderr: read(stderr) };
}
