/** A browser as far as HTTP goes: cookies by path, redirects, forms and meta refresh, no scripts. */
export interface HttpBrowser {
  get(url: string): Promise<BrowserPage>;
  /** Sends the form of the page that has this button, as the button would. */
  press(page: BrowserPage, button: string, fields?: Record<string, string>): Promise<BrowserPage>;
  /** As `press` with other headers or fields, and without following. */
  send(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<BrowserPage>;
  readonly cookies: Map<string, Cookie>;
}

export interface BrowserPage {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly attributes: string;
}

export function createHttpBrowser(): HttpBrowser {
  const cookies = new Map<string, Cookie>();

  async function request(url: string, init: RequestInit): Promise<BrowserPage> {
    const { pathname } = new URL(url);
    const sent = [...cookies.values()]
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .toSorted((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`);
    const headers = { accept: 'text/html', ...(sent.length > 0 && { cookie: sent.join('; ') }), ...init.headers };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) keep(line, pathname);
    const page = { url, status: response.status, headers: response.headers, text: await response.text() };
    return page;
  }

  function keep(line: string, pathname: string): void {
    const [pair = '', ...attributes] = line.split(/; ?/);
    const separator = pair.indexOf('=');
    const [name, value] = [pair.slice(0, separator), pair.slice(separator + 1)];
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? pathname;
    const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice(8);
    const gone = expires !== undefined && Date.parse(expires) < Date.now();
    if (gone) cookies.delete(`${path} ${name}`);
    else cookies.set(`${path} ${name}`, { name, value, path, attributes: attributes.join('; ') });
  }

  /** Follows redirects and meta refresh as long as they stay at this origin. */
  async function follow(page: BrowserPage): Promise<BrowserPage> {
    let current = page;
    for (let hops = 0; hops < 10; hops++) {
      const next = current.headers.get('location') ?? refreshOf(current.text);
      if (next === undefined) return current;
      const target = new URL(next, current.url);
      if (target.origin !== new URL(page.url).origin) return current;
      current = await request(target.href, {});
    }
    throw new Error('too many redirects');
  }

  return {
    cookies,
    get: async (url) => follow(await request(url, {})),
    async press(page, button, fields = {}) {
      const form = formsOf(page.text).find((candidate) => candidate.buttons.has(button));
      if (!form) throw new Error(`no button ${button} at ${page.url}:\n${page.text}`);
      const all = { ...form.hidden, ...form.buttons.get(button), ...fields };
      const action = form.action === undefined ? page.url : new URL(form.action, page.url).href;
      const headers = { origin: 'null', 'sec-fetch-site': 'same-origin' };
      return follow(await request(action, { method: 'POST', body: new URLSearchParams(all), headers }));
    },
    send: (url, fields, headers = {}) => request(url, { method: 'POST', body: new URLSearchParams(fields), headers }),
  };
}

function refreshOf(text: string): string | undefined {
  const found = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1];
  return found && decode(found);
}

interface Form {
  readonly action: string | undefined;
  readonly hidden: Record<string, string>;
  readonly buttons: Map<string, Record<string, string>>;
}

function formsOf(text: string): Form[] {
  return [...text.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)].map(([, attributes = '', body = '']) => ({
    action: attributeOf(attributes, 'action'),
    hidden: Object.fromEntries(
      [...body.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
        attributeOf(tag, 'name') ?? '',
        attributeOf(tag, 'value') ?? '',
      ]),
    ),
    buttons: new Map(
      [...body.matchAll(/<button([^>]*)>([^<]*)<\/button>/g)].map(([, tag = '', label = '']) => {
        const name = attributeOf(tag, 'name');
        return [label.trim(), name === undefined ? {} : { [name]: attributeOf(tag, 'value') ?? '' }];
      }),
    ),
  }));
}

/** The text of the element with this id. */
export function textOf(page: BrowserPage, id: string): string | undefined {
  const found = new RegExp(`<(\\w+)[^>]*\\sid="${id}"[^>]*>(.*?)</\\1>`, 's').exec(page.text)?.[2];
  return found === undefined ? undefined : decode(found);
}

export function hiddenOf(page: BrowserPage, name: string): string | undefined {
  return formsOf(page.text)[0]?.hidden[name];
}

function attributeOf(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : decode(found);
}

function decode(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
