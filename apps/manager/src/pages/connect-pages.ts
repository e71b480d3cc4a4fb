import { html, type Html } from './html.js';
import { messagePage } from './message-page.js';
import type { Page, Site } from './page.js';

export interface ConnectRequest {
  readonly serviceName: string;
  readonly description: string;
  /** The application whose tools will use the account. */
  readonly applicationName: string;
  readonly requestedAt: Date;
  /** Where the person is sent to sign in at the service. */
  readonly host: string;
  readonly scope: string | undefined;
  /** The service is marked for handing what it gives to the code of tools. */
  readonly toolsSeeTokens: boolean;
  /** Who is signed in at this browser. */
  readonly email: string | undefined;
  /** The link was made for them. */
  readonly isTheirs: boolean;
  readonly csrfToken: string;
}

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

/** Behind the link that a tool gives: shows, and changes nothing until a button is pressed. */
export function connectPage(site: Site, request: ConnectRequest): Page {
  const { serviceName, description, applicationName, requestedAt, host, scope, email, isTheirs } = request;
  const seen = request.toolsSeeTokens
    ? 'the tools may be handed it, the assistant is not'
    : 'neither the assistant nor the tools are shown it';
  const title = `Connect your account at ${serviceName}`;
  return {
    status: email !== undefined && !isTheirs ? 403 : 200,
    title,
    body: html`<h1>Connect your account at <bdi>${serviceName}</bdi>?</h1>
      ${description !== '' && html`<p><bdi>${description}</bdi></p>`}
      <dl>
        <dt>Service</dt>
        <dd><bdi>${serviceName}</bdi></dd>
        <dt>For</dt>
        <dd><bdi>${applicationName}</bdi> at <bdi>${site.tenantName}</bdi></dd>
        <dt>You sign in at</dt>
        <dd><bdi>${host}</bdi></dd>
        ${
          scope !== undefined &&
          scope !== '' &&
          html`<dt>What is asked for there</dt>
            <dd><bdi>${scope}</bdi></dd>`
        }
        <dt>Asked at</dt>
        <dd><time datetime="${requestedAt.toISOString()}">${format.format(requestedAt)} UTC</time></dd>
      </dl>
      <h2>What will happen</h2>
      <p>
        You are sent to <bdi>${host}</bdi>. If you agree there, tools of <bdi>${applicationName}</bdi> that you may use
        can act with your account at <bdi>${serviceName}</bdi>, when you call them. What <bdi>${host}</bdi> gives for
        that is kept by <bdi>${site.tenantName}</bdi>; ${seen}.
      </p>
      <p class="note">
        Go on only if you asked for this yourself, just now. If someone sent you this link, close the page.
      </p>
      ${buttonsOf(request)}`,
  };
}

function buttonsOf({ email, isTheirs, csrfToken }: ConnectRequest): Html {
  const form = (action: string, label: string) =>
    html`<form method="post">
      <input type="hidden" name="csrf" value="${csrfToken}" />
      <button type="submit" name="action" value="${action}">${label}</button>
    </form>`;
  if (email === undefined) {
    return html`<p>First sign in, so that we know that it is you who asked.</p>
      ${form('sign-in', 'Sign in')}`;
  }
  if (isTheirs) {
    return html`<p class="soft">You are <bdi>${email}</bdi>.</p>
      ${form('connect', 'Connect')}`;
  }
  return html`<p>
      This browser is signed in as <bdi>${email}</bdi>, and the link was made for somebody else. Only who asked for it
      can connect an account with it.
    </p>
    ${form('sign-in', 'Sign in as somebody else')}`;
}

const askAnew = 'Go back to the assistant and ask again: you will get a new link.';

/** Unknown, used, too late, come to with the back button, or of a login that has ended. */
export const connectGonePage: Page = messagePage({
  status: 410,
  title: 'This link does not work any more',
  text: `It was used, is older than ten minutes, or was begun in another browser. ${askAnew}`,
});

export const otherPersonPage: Page = messagePage({
  status: 403,
  title: 'This link is not yours',
  text: 'Only the person who asked for it, signed in here, can connect an account with it. Nothing was connected.',
});

export function connectRefusedPage(serviceName: string): Page {
  return messagePage({
    status: 403,
    title: 'You may not use this service',
    text: `Your rights do not cover ${serviceName}. Nothing was connected; your administrator can tell you more.`,
  });
}

export function connectedPage(serviceName: string): Page {
  return {
    title: 'Your account is connected',
    body: html`<h1>Your account is connected</h1>
      <p>
        Your account at <bdi>${serviceName}</bdi> is connected. You can close this page: go back to the assistant and
        let it call the tool again.
      </p>`,
  };
}

export function connectDeniedPage(serviceName: string): Page {
  return messagePage({
    status: 403,
    title: 'Your account was not connected',
    text: `At ${serviceName} the request was refused. ${askAnew}`,
  });
}

/** The service is away, or its answer failed a check: the log says which. */
export function connectFailedPage(serviceName: string): Page {
  return messagePage({
    status: 502,
    title: 'Your account was not connected',
    text: `${serviceName} could not be reached, or its answer could not be trusted. ${askAnew} If it stays so, tell your administrator.`,
  });
}
