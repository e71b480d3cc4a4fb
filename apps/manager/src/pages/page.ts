import { assets, type Asset } from './assets.js';
import { html, type Html } from './html.js';

/** Whose page it is. */
export interface Site {
  readonly issuer: string;
  readonly tenantName: string;
}

export interface Page {
  readonly status?: number;
  readonly title: string;
  readonly body: Html;
  /** Loads the script of the copy button. */
  readonly script?: boolean;
  /** Where the browser goes on by itself, without JavaScript; the body has the link. */
  readonly goOnTo?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RenderedPage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function renderPage(site: Site, page: Page): RenderedPage {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex, nofollow" />
        ${page.goOnTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${page.goOnTo}" />`}
        <title>${page.title} · ${site.tenantName}</title>
        <link rel="icon" href="${assetUrl(site, assets.logo)}" />
        <link rel="stylesheet" href="${assetUrl(site, assets.style)}" />
        ${page.script && html`<script type="module" src="${assetUrl(site, assets.copyCode)}"></script>`}
      </head>
      <body>
        <main>
          <p class="tenant">
            <img src="${assetUrl(site, assets.logo)}" alt="" width="24" height="24" />${site.tenantName}
          </p>
          ${page.body}
        </main>
      </body>
    </html>`;
  return {
    status: page.status ?? 200,
    headers: { ...pageHeaders(page.script === true), ...page.headers },
    body: document.text,
  };
}

function assetUrl(site: Site, asset: Asset): string {
  return `${new URL(site.issuer).pathname}/assets/${asset.fileName}`;
}

/** Nothing inline, nothing foreign, never in a frame, never kept, and no address of ours told to anyone. */
function pageHeaders(script: boolean): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `script-src ${script ? "'self'" : "'none'"}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}
