/** Follows the pages as a browser without JavaScript would: one cookie jar, forms, redirects, meta refresh. */
export async function signIn(start, { email, password }) {
  const cookies = new Map();
  const visit = async (url, form) => {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form && { origin: new URL(url).origin }),
      },
      body: form && new URLSearchParams(form),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const html = await response.text();
    const next = response.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1];
    return next ? visit(new URL(next.replaceAll('&amp;', '&'), url).href) : { url, html };
  };
  const submit = ({ url, html }, fields) => {
    const csrf = /name="csrf" value="([^"]*)"/.exec(html)?.[1];
    return visit(url, { ...(csrf && { csrf }), ...fields });
  };
  const passwordPage = await submit(await visit(start), {});
  const approval = await submit(passwordPage, { email, password, action: 'sign-in' });
  const { html } = await submit(approval, { action: 'approve' });
  const code = /id="code"[^>]*>([^<]*)</.exec(html)?.[1];
  if (!code) throw new Error(`no code on the last page:\n${html}`);
  return code;
}
