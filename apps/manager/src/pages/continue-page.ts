import { html } from './html.js';
import type { Page } from './page.js';

/** The answer to a form: a page that goes on, since Chromium applies CSP `form-action` to redirects after a POST. */
export function continuePage(goOnTo: string): Page {
  return {
    title: 'One moment',
    goOnTo,
    body: html`<h1>One moment…</h1>
      <p><a class="button" href="${goOnTo}">Continue</a></p>`,
  };
}
