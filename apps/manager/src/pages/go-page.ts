import { html } from './html.js';
import { describeRequest, type LoginRequest } from './login-request.js';
import type { Page, Site } from './page.js';

/** Behind the link that `oauth_start` gives: shows, and changes nothing until the button is pressed. */
export function goPage(site: Site, request: LoginRequest, csrfToken: string): Page {
  return {
    title: 'Sign in',
    body: html`<h1>Sign in to ${site.tenantName}</h1>
      <p>
        An assistant asks you to sign in, so that it can use the tools of <bdi>${request.applicationName}</bdi> for you.
      </p>
      ${describeRequest(request)}
      <p class="note">
        Go on only if you asked for this yourself, just now. If someone sent you this link, close the page.
      </p>
      <form method="post">
        <input type="hidden" name="csrf" value="${csrfToken}" />
        <button type="submit">Continue to sign-in</button>
      </form>`,
  };
}
