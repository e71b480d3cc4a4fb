import { createHash } from 'node:crypto';

/** What the person finds in the browser after the redirect. */
export type LoopbackPage = 'signed_in' | 'refused' | 'failed' | 'unknown';

const texts: Readonly<Record<LoopbackPage, { status: number; title: string; text: string }>> = {
  signed_in: {
    status: 200,
    title: 'You are signed in',
    text: 'Go back to the assistant: your tools are there now. You can close this page.',
  },
  refused: {
    status: 200,
    title: 'You are not signed in',
    text: 'You refused, and nothing was shared. You can close this page.',
  },
  failed: {
    status: 200,
    title: 'You are not signed in',
    text: 'The sign-in could not be finished. Go back to the assistant: it says what to do.',
  },
  unknown: {
    status: 404,
    title: 'There is nothing here',
    text: 'This is not the end of a sign-in that waits. Go back to the assistant and start again.',
  },
};

const style =
  ':root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}body{max-width:32rem;margin:20vh auto;padding:0 1.5rem}h1{font-size:1.6rem;margin:0 0 .5rem}p{margin:0}';
const styleHash = createHash('sha256').update(style).digest('base64');

/** Nothing runs in it, nothing is fetched by it, and no address that it has is told to anyone. */
export const loopbackHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  Connection: 'close',
};

export function renderLoopbackPage(page: LoopbackPage): { readonly status: number; readonly body: string } {
  const { status, title, text } = texts[page];
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${style}</style>`;
  return {
    status,
    body: `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>${title}</h1><p>${text}</p></main></body></html>`,
  };
}
