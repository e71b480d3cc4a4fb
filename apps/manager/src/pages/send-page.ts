import type { Response } from 'express';
import { renderPage, type Page, type Site } from './page.js';

export function sendPage(response: Response, site: Site, page: Page): void {
  const { status, headers, body } = renderPage(site, page);
  response.status(status).set(headers).end(body);
}
