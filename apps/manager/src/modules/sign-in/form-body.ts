import express, { type Request, type Response } from 'express';
import { AppError } from '../../errors/app-error.js';

const parser = express.urlencoded({ extended: false, limit: '16kb', inflate: false, parameterLimit: 20 });

/** The fields of a form that came once; AppError 'unsupported_media_type' for anything but a form. */
export async function readForm(request: Request, response: Response): Promise<ReadonlyMap<string, string>> {
  if (!request.is('application/x-www-form-urlencoded')) throw new AppError('unsupported_media_type', 'not a form');
  await new Promise<void>((resolve, reject) => {
    parser(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });
  const fields = Object.entries((request.body ?? {}) as Record<string, unknown>);
  return new Map(fields.filter((field): field is [string, string] => typeof field[1] === 'string'));
}
