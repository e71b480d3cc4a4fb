import { describe, expect, test } from '@jest/globals';
import { html } from '../../src/pages/html.js';
import { renderPage } from '../../src/pages/page.js';
import { continuePage } from '../../src/pages/continue-page.js';

const evil = `"><script>alert('1')</script>&`;

describe('html', () => {
  test('escapes whatever is not HTML already, in text and in attributes', () => {
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;';
    expect(html`<a href="${evil}">${evil}</a>`.text).toBe(`<a href="${escaped}">${escaped}</a>`);
  });

  test('keeps nested templates and leaves out what is absent', () => {
    expect(html`${html`<b>${'<'}</b>`}${false}${null}${undefined}${0}${[html`<i>a</i>`]}`.text).toBe(
      '<b>&lt;</b>0<i>a</i>',
    );
  });

  test('of a page holds no inline script or style, and its values are escaped everywhere', () => {
    const page = renderPage({ issuer: 'https://authsec.test/t/acme', tenantName: evil }, continuePage(`/x?${evil}`));
    expect(page.body).not.toContain('<script>');
    expect(page.body).not.toMatch(/<style|\son\w+=|style=/);
  });
});
