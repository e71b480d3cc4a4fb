import { html } from './html.js';
import type { Page } from './page.js';

/** A page that says what happened and what to do. */
export function messagePage(message: {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  readonly detail?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}): Page {
  const { status, title, text, detail, headers = {} } = message;
  return {
    status,
    title,
    headers,
    body: html`<h1>${title}</h1>
      <p>${text}</p>
      ${detail !== undefined && html`<p class="soft">${detail}</p>`}`,
  };
}

/** A link, or a sign-in, that is no longer there: expired, finished, or begun in another browser. */
export const loginGonePage: Page = messagePage({
  status: 410,
  title: 'This sign-in is over',
  text: 'It was finished, took too long, or was begun in another browser. Ask the assistant or application for a new link.',
});
