import express, { type Request, type Response } from 'express';
import { AppError } from '../../errors/app-error.js';

const defaultMaxBytes = 64 * 1024;
const maxDepth = 20;

const parsers = new Map<number, ReturnType<typeof express.json>>();

function parserFor(maxBytes: number) {
  const parser =
    parsers.get(maxBytes) ??
    express.json({
      limit: maxBytes,
      inflate: false,
      strict: true,
      type: 'application/json',
      verify: (_request, _response, buffer) => assertShallow(buffer),
    });
  parsers.set(maxBytes, parser);
  return parser;
}

/** Reads a JSON body of at most so many bytes (64 KiB unless told) and 20 levels into `request.body`. */
export async function jsonBody(request: Request, response: Response, maxBytes = defaultMaxBytes): Promise<void> {
  if (!request.is('application/json')) {
    throw new AppError('unsupported_media_type', 'the body is not application/json');
  }
  await new Promise<void>((resolve, reject) => {
    parserFor(maxBytes)(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
}

/** Counts brackets outside of strings before anything is parsed. */
function assertShallow(buffer: Buffer): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < buffer.length; index++) {
    const byte = buffer[index];
    if (inString) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) throw new AppError('payload_too_large', `the body is deeper than ${maxDepth} levels`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}
