import { AuthSecError } from '../authsec-error.js';
import { acceptedEncodings } from './put-credential.js';
import type { Redactor } from './redactor.js';

const decoded: ReadonlySet<string> = new Set(['identity', 'x-gzip', ...acceptedEncodings.split(', ')]);
const bodyless: ReadonlySet<number> = new Set([204, 205, 304]);

/** The answer as a tool gets it: without the secret in status, headers and body, however the body is cut into chunks. */
export function redactResponse(
  answer: Response,
  options: {
    readonly service: string;
    /** As the tool asked for it. */
    readonly url: URL;
    readonly method: string;
    readonly isRedirected: boolean;
    readonly redactor: Redactor | undefined;
    readonly translate: (error: unknown) => unknown;
  },
): Response {
  const { service, method, redactor } = options;
  const text = (value: string): string => redactor?.text(value) ?? value;
  const coding = answer.headers.get('content-encoding') ?? '';
  for (const one of coding.split(',').map((name) => name.trim().toLowerCase())) {
    if (one === '' || decoded.has(one)) continue;
    void answer.body?.cancel();
    throw new AuthSecError('service_unavailable', `${service}: its answer is encoded in a way that was not asked for`);
  }
  const headers = new Headers();
  for (const [name, value] of answer.headers) {
    // The body is decompressed, and a value that is taken out changes its length.
    if (name === 'content-encoding' || (name === 'content-length' && method !== 'HEAD')) continue;
    // A name that has the secret would be none without it.
    if (text(name) === name) headers.append(name, text(value));
  }
  const { status } = answer;
  // `Response` has none of these.
  if (status < 200 || status > 599) {
    void answer.body?.cancel();
    throw new AuthSecError('service_unavailable', `${service}: it answered with the status ${status}`);
  }
  const body = bodyless.has(status) ? null : answer.body;
  const init = { status, statusText: reasonOf(text(answer.statusText)), headers };
  const response = new Response(body && redactBody(body, redactor, options.translate), init);
  Object.defineProperty(response, 'url', { value: text(options.url.href) });
  Object.defineProperty(response, 'redirected', { value: options.isRedirected });
  return response;
}

/** What `Response` takes of it: HTTP/1.1 servers say all sorts of things. */
function reasonOf(text: string): string {
  return text.replaceAll(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '');
}

function redactBody(
  body: ReadableStream<Uint8Array>,
  redactor: Redactor | undefined,
  translate: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const stream = redactor?.stream();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read().catch((error: unknown) => {
            throw translate(error);
          });
          const bytes = done ? stream?.end() : (stream?.push(value) ?? value);
          if (bytes && bytes.length > 0) controller.enqueue(bytes);
          if (done) return controller.close();
          if (bytes && bytes.length > 0) return;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
