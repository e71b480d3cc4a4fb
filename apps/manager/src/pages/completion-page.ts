import { html, type Html } from './html.js';
import type { Page } from './page.js';

/** Where an in-band login ends: the code, for the person to carry to the assistant. */
export function completionPage(code: string, applicationName: string, jwt?: string): Page {
  return {
    title: 'Signed in',
    script: true,
    body: html`<h1>You are signed in</h1>
      <p id="what">Give this code to the assistant in which you asked to sign in to <bdi>${applicationName}</bdi>:</p>
      <code class="code" id="code" tabindex="0" aria-describedby="what">${code}</code>
      <button type="button" id="copy" hidden>Copy the code</button>
      <p class="soft" id="copied" role="status" aria-live="polite"></p>
      <p class="note">
        <strong>Never give this code to someone who sent you the link.</strong> Whoever has it acts as you. If you did
        not ask for it yourself, close the page.
      </p>
      <p class="soft">It works once, within ten minutes. You can close this page afterwards.</p>
      ${jwt !== undefined && tokenDetails(jwt)}`,
  };
}

/** The documented flow of clients that want the token itself; out of sight until it is asked for. The element's text is the token, so the style sheet writes on its button. */
function tokenDetails(jwt: string): Html {
  return html`<p class="soft" id="instead">
      <strong>The assistant asks for a token instead?</strong> Give it this one as jwt_token, or the code above, not
      both: the first that is used voids the other. It works once, in this session only, within five minutes.
    </p>
    <details id="jwt">
      <summary class="reveal" aria-label="The token" aria-describedby="instead"></summary>
      <code class="code token" id="jwt-token" tabindex="0">${jwt}</code>
    </details>`;
}

const reasons: ReadonlyMap<string, string> = new Map([['access_denied', 'You refused. Nothing was shared.']]);

/** The same end without a code. */
export function completionErrorPage(error: string): Page {
  return {
    status: 400,
    title: 'Not signed in',
    body: html`<h1>You are not signed in</h1>
      <p>${reasons.get(error) ?? 'The sign-in could not be finished. Ask the assistant to start it again.'}</p>
      <p class="soft">If the assistant waits for an answer, tell it: <code id="error">${error}</code></p>`,
  };
}
