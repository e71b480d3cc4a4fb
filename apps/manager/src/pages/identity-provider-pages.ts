import { html, type Html } from './html.js';
import type { Page } from './page.js';

/** What a person can still do; undefined where the login that they came from is not known. */
export type BackTo = string | undefined;

function withWayBack(page: { status: number; title: string; text: Html; backTo: BackTo; label: string }): Page {
  const { status, title, text, backTo, label } = page;
  return {
    status,
    title,
    body: html`<h1>${title}</h1>
      ${text}
      ${
        backTo === undefined
          ? html`<p>Ask the assistant or application for a new link.</p>`
          : html`<p><a class="button" href="${backTo}">${label}</a></p>`
      }`,
  };
}

const back = 'Back to sign-in';

/** The provider is away, or its answer failed a check: the log says which. */
export function providerFailedPage(providerName: string | undefined, backTo: BackTo): Page {
  const name = providerName ?? 'This provider';
  return withWayBack({
    status: 502,
    title: 'This way to sign in did not work',
    text: html`<p>
      <bdi>${name}</bdi> could not be reached, or its answer could not be trusted. Nothing was changed. Try again, or
      choose another way to sign in; if it stays so, tell your administrator.
    </p>`,
    backTo,
    label: back,
  });
}

/** The same for everyone who is not let in: it tells nothing of which accounts there are. */
export function notAdmittedPage(tenantName: string, providerName: string, backTo: BackTo): Page {
  return withWayBack({
    status: 403,
    title: 'This account cannot be used here',
    text: html`<p>
        You signed in at <bdi>${providerName}</bdi>, but that account cannot be used at <bdi>${tenantName}</bdi>.
      </p>
      <p>
        If you have signed in here before in another way, sign in that way, and add <bdi>${providerName}</bdi> on the
        page that asks for your approval. Otherwise ask your administrator, or check at <bdi>${providerName}</bdi> which
        account you use and whether its e-mail address is verified.
      </p>`,
    backTo,
    label: back,
  });
}

export function deniedPage(providerName: string, backTo: BackTo): Page {
  return withWayBack({
    status: 403,
    title: 'You did not sign in',
    text: html`<p>At <bdi>${providerName}</bdi> the sign-in was refused. Try again, or choose another way.</p>`,
    backTo,
    label: back,
  });
}

/** Loaded anew, come to with the back button, too late, or in another browser. */
export function stepSpentPage(backTo: BackTo): Page {
  return withWayBack({
    status: 410,
    title: 'This step is over',
    text: html`<p>
      This answer was used already, came too late, or was begun in another browser.
      ${backTo === undefined ? '' : 'The sign-in itself may still be open.'}
    </p>`,
    backTo,
    label: 'Go on with the sign-in',
  });
}
