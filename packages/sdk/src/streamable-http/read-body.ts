import type { IncomingMessage } from 'node:http';

const maxDepth = 100;

export type ReadBody = { readonly value: unknown } | { readonly status: 400 | 413; readonly message: string };

/** The JSON body, up to a number of bytes and of levels; what a body parser before us left in `request.body` is taken as it is. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const parsed = (request as { readonly body?: unknown }).body;
  const read = parsed === undefined ? await readJson(request, maxBytes) : { value: parsed };
  if ('value' in read && isTooDeep(read.value)) return { status: 400, message: `nested more than ${maxDepth} deep` };
  return read;
}

async function readJson(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const tooLarge = { status: 413, message: `the body must not exceed ${maxBytes} bytes` } as const;
  if (Number(request.headers['content-length']) > maxBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when too large: the answer still has to get through.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) return tooLarge;
    chunks.push(chunk);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return { status: 400, message: 'the body is not JSON' };
  }
}

/** Level by level, so that depth costs no stack. */
function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}
