import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { createCommandContext, explainError } from '../../src/commands/command-context.js';
import { runCommand } from '../../src/commands/run-command.js';

export interface CommandRun {
  /** 0, or 1 where it failed, as main.ts ends the process. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the image in this process, with an environment, a standard input and signals of its own. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
  signals = new EventEmitter(),
): Promise<CommandRun> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const on = signals.on.bind(signals);
  const exit = (code: number) => void signals.emit('exit', code);
  const fake = { env, stdin, stdout, stderr, on, exit };
  const shown = createCommandContext(fake as unknown as NodeJS.Process);
  const print = (text: string) => {
    shown.print(text);
    signals.emit('printed', text);
  };
  const context = { ...shown, print };
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
