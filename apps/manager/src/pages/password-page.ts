import { html, type Html } from './html.js';
import type { Page, Site } from './page.js';

export interface PasswordForm {
  readonly applicationName: string;
  readonly csrfToken: string;
  readonly waysIn: {
    readonly password: boolean;
    /** There are domains whose people are sent to a provider by their address. */
    readonly homeRealm: boolean;
    readonly providers: readonly { readonly id: string; readonly name: string }[];
  };
  readonly email?: string | undefined;
  /** Why the last attempt did not succeed. */
  readonly problem?: string | undefined;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who is there: by a password, by an identity provider's button, or by the address of an organisation. */
export function passwordPage(site: Site, form: PasswordForm): Page {
  const { problem, status = 200, headers = {}, waysIn } = form;
  const csrf = html`<input type="hidden" name="csrf" value="${form.csrfToken}" />`;
  return {
    status,
    headers,
    title: problem === undefined ? 'Sign in' : 'Error: sign in',
    body: html`<h1>Sign in to ${site.tenantName}</h1>
      <p class="soft">to go on to <bdi>${form.applicationName}</bdi></p>
      ${problem !== undefined && html`<p class="alert" role="alert" id="problem">${problem}</p>`}
      ${(waysIn.password || waysIn.homeRealm) && addressForm(form, csrf)}
      ${
        waysIn.providers.length > 0 &&
        html`<form method="post" action="?">
          ${csrf}
          ${waysIn.providers.map(
            ({ id, name }) =>
              html`<button type="submit" class="quiet" name="action" value="provider:${id}">
                Sign in with ${name}
              </button>`,
          )}
        </form>`
      }
      <form method="post" action="?">
        ${csrf}
        <p class="soft">
          You did not ask for this? <button class="link" type="submit" name="action" value="refuse">Refuse</button>
        </p>
      </form>`,
  };
}

function addressForm({ problem, email, waysIn }: PasswordForm, csrf: Html): Html {
  const described = problem === undefined ? html`` : html` aria-describedby="problem" aria-invalid="true"`;
  return html`<form method="post" action="?">
    ${csrf}
    <label for="email">E-mail address</label>
    <input
      id="email"
      name="email"
      type="email"
      autocomplete="username"
      inputmode="email"
      spellcheck="false"
      maxlength="320"
      required
      value="${email ?? ''}"
      ${described}${!email && html` autofocus`}
    />
    ${
      waysIn.password &&
      html`<label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          maxlength="256"
          ${!waysIn.homeRealm && html` required`}${described}${email && html` autofocus`}
        />
        <button type="submit" name="action" value="sign-in">Sign in</button>`
    }
    ${
      waysIn.homeRealm &&
      html`<button type="submit" ${waysIn.password && html`class="quiet" `}name="action" value="home-realm">
        Continue with your organisation
      </button>`
    }
  </form>`;
}
