import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Secret } from '../config/secret.js';
import { readSecretFiles } from '../config/read-secret-files.js';
import { maxPasswordLength } from '../modules/sign-in/passwords.js';
import { type CommandContext, CommandFailure } from './command-context.js';

const minPasswordLength = 12;

export interface Question {
  /** Answers without a person. */
  readonly variable: string;
  readonly question: string;
  /** Not shown while it is typed. */
  readonly hidden?: boolean;
}

/** From the environment variable, else of the person at the terminal; CommandFailure where there is neither. */
export async function readAnswer(
  { process }: CommandContext,
  { variable, question, hidden = false }: Question,
): Promise<string> {
  const given = process.env[variable];
  if (given) return given;
  if (!process.stdin.isTTY) throw new CommandFailure(`set ${variable}: there is nobody to ask at a terminal`);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: hidden ? silent : process.stderr,
    terminal: true,
  });
  try {
    // Asked after the terminal stopped showing what is typed: whoever is fast, or pastes, shows nothing either.
    if (hidden) process.stderr.write(question);
    return await terminal.question(hidden ? '' : question);
  } finally {
    terminal.close();
    if (hidden) process.stderr.write('\n');
  }
}

/** Never from an argument, which the machine's process list shows. */
export async function readNewPassword(context: CommandContext, variable: string, fromStdin: boolean): Promise<Secret> {
  const password = fromStdin ? firstLine(await text(context.process.stdin)) : await readHidden(context, variable);
  if (password.length < minPasswordLength || password.length > maxPasswordLength) {
    throw new CommandFailure(`a password has ${minPasswordLength} to ${maxPasswordLength} characters`);
  }
  return new Secret(password);
}

async function readHidden(context: CommandContext, variable: string): Promise<string> {
  const { env, problems } = readSecretFiles(context.process.env, {
    secrets: [variable],
    known: [variable],
    readFile: (path) => readFileSync(path, 'utf8'),
  });
  if (problems.length > 0) throw new CommandFailure(problems.join('\n'));
  const given = env[variable];
  if (given) return given;
  const password = await readAnswer(context, { variable, question: 'Password: ', hidden: true });
  const again = await readAnswer(context, { variable, question: 'The same again: ', hidden: true });
  if (password !== again) throw new CommandFailure('the two are not the same');
  return password;
}

function firstLine(input: string): string {
  return input.split(/\r?\n/, 1)[0] ?? '';
}
