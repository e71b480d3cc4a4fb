import { html, type Html } from './html.js';
import { describeRequest, type LoginRequest } from './login-request.js';
import type { Page, Site } from './page.js';

export interface Approval {
  readonly request: LoginRequest;
  readonly email: string;
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
  /** Identity providers that the person can add to their account. */
  readonly providers: readonly { readonly id: string; readonly name: string }[];
  readonly csrfToken: string;
}

/** Stands between a link and a login: a link that travelled to another person's browser ends here. */
export function approvalPage(site: Site, approval: Approval): Page {
  const { request, email, scopes, providers, csrfToken } = approval;
  return {
    title: 'Approve sign-in',
    body: html`<h1>Approve this sign-in?</h1>
      <form method="post" action="?">
        <input type="hidden" name="csrf" value="${csrfToken}" />
        <p class="soft">
          You are <bdi>${email}</bdi>. <button class="link" type="submit" name="action" value="switch">Not you?</button>
        </p>
      </form>
      ${describeRequest(request)}
      <h2>What it gets</h2>
      <ul>
        <li>your e-mail address</li>
        <li>your roles, groups and resources at ${site.tenantName}, and what they let you do</li>
        ${scopes.map(describeScope)} ${request.rememberedDays !== undefined && staysSignedIn(request.rememberedDays)}
      </ul>
      <p class="note">
        Whoever asked for this will act as you. Approve only what you asked for yourself, just now. If someone sent you
        a link, refuse.
      </p>
      <form method="post" action="?">
        <input type="hidden" name="csrf" value="${csrfToken}" />
        <div class="actions">
          <button type="submit" name="action" value="approve">Approve</button>
          <button type="submit" name="action" value="refuse" class="quiet">Refuse</button>
        </div>
      </form>
      ${
        providers.length > 0 &&
        html`<details>
          <summary>Add another way to sign in as <bdi>${email}</bdi></summary>
          <form method="post" action="?">
            <input type="hidden" name="csrf" value="${csrfToken}" />
            ${providers.map(
              ({ id, name }) =>
                html`<button type="submit" class="quiet" name="action" value="link:${id}">Add ${name}</button>`,
            )}
          </form>
        </details>`
      }`,
  };
}

function staysSignedIn(days: number): Html {
  return html`<li>all this for up to ${days} days, also after it was restarted, until you sign out</li>`;
}

function describeScope({ name, description }: { readonly name: string; readonly description: string }): Html {
  if (description === '') return html`<li>the scope <bdi>${name}</bdi></li>`;
  return html`<li><bdi>${description}</bdi> <span class="soft">(<bdi>${name}</bdi>)</span></li>`;
}
