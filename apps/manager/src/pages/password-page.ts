import { html } from './html.js';
import type { Page, Site } from './page.js';

export interface PasswordForm {
  readonly applicationName: string;
  readonly csrfToken: string;
  readonly email?: string | undefined;
  /** Why the last attempt did not succeed. */
  readonly problem?: string | undefined;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export function passwordPage(site: Site, form: PasswordForm): Page {
  const { problem, email, status = 200, headers = {} } = form;
  const described = problem === undefined ? html`` : html` aria-describedby="problem" aria-invalid="true"`;
  return {
    status,
    headers,
    title: problem === undefined ? 'Sign in' : 'Error: sign in',
    body: html`<h1>Sign in to ${site.tenantName}</h1>
      <p class="soft">to go on to <bdi>${form.applicationName}</bdi></p>
      ${problem !== undefined && html`<p class="alert" role="alert" id="problem">${problem}</p>`}
      <form method="post" action="?">
        <input type="hidden" name="csrf" value="${form.csrfToken}" />
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
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          maxlength="256"
          required${described}${email && html` autofocus`}
        />
        <button type="submit" name="action" value="sign-in">Sign in</button>
      </form>
      <form method="post" action="?">
        <input type="hidden" name="csrf" value="${form.csrfToken}" />
        <p class="soft">
          You did not ask for this? <button class="link" type="submit" name="action" value="refuse">Refuse</button>
        </p>
      </form>`,
  };
}
