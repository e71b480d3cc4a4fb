import { html, type Html } from './html.js';

/** What a page tells of the login that is asked for. */
export interface LoginRequest {
  readonly applicationName: string;
  /** As the MCP client reported itself: nobody checked it. */
  readonly reportedName: string | undefined;
  readonly reportedAddress: string | undefined;
  readonly requestedAt: Date;
  /** For how many days the application wants to stay signed in across restarts. */
  readonly rememberedDays?: number | undefined;
}

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

export function describeRequest(request: LoginRequest): Html {
  const reported = (value: string | undefined) =>
    value === undefined
      ? html`not reported`
      : html`<bdi>${value}</bdi> <span class="tag">reported, not verified</span>`;
  return html`<dl>
    <dt>Application</dt>
    <dd><bdi>${request.applicationName}</bdi></dd>
    <dt>Client</dt>
    <dd>${reported(request.reportedName)}</dd>
    <dt>Address</dt>
    <dd>${reported(request.reportedAddress)}</dd>
    <dt>Asked at</dt>
    <dd><time datetime="${request.requestedAt.toISOString()}">${format.format(request.requestedAt)} UTC</time></dd>
  </dl>`;
}
