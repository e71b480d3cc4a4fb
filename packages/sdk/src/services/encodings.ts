/** Shorter ones stand in too many texts by chance to be taken out of them. */
export const minRedactedLength = 4;

/** A value as it may stand in a text: as it is, in base64 wherever it begins, in a URL, in JSON, in HTML, in hexadecimal. */
export function encodingsOf(value: string): readonly string[] {
  if (value.length < minRedactedLength) return [];
  const found = new Set<string>();
  const bytes = Buffer.from(value);
  for (const form of new Set([value, ...base64FormsOf(bytes)])) {
    for (const written of plain.test(form) ? [form] : writingsOf(form)) {
      if (written.length >= minRedactedLength) found.add(written);
    }
  }
  const hex = bytes.toString('hex');
  const every = hex.replaceAll(/../g, '%$&');
  found.add(hex).add(hex.toUpperCase()).add(every).add(every.toUpperCase());
  return [...found];
}

/** Stands as it is in URLs, JSON and HTML. */
const plain = /^[\w.-]*$/;

function writingsOf(form: string): string[] {
  return [form, ...percentFormsOf(form), ...jsonFormsOf(form), ...htmlFormsOf(form)];
}

/**
 * What of the base64 of any text depends on these bytes alone: three forms, by where in a group of three they begin, and the
 * whole, padded. The first and last character of a form that is cut hold bits of the neighbours too, and stay.
 */
function base64FormsOf(bytes: Buffer): string[] {
  const forms: string[] = [];
  for (const offset of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor((padded.length * 8) / 6);
    forms.push(padded.toString('base64').slice(first, last));
  }
  forms.push(bytes.toString('base64'), bytes.toString('base64').replace(/=+$/, ''));
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** What writers of URLs leave as it is beside letters, digits and `-._~`: Python, Go and RFC 3986 in paths and in queries. */
const keptInUrls = ['/', '$&+:=@', "!$&'()*+,:;=@", "!$&'()*+,/:;=@", "!$&'()*+,/:;=?@"];

function percentFormsOf(text: string): string[] {
  const well = Buffer.from(text).toString();
  const uri = encodeURIComponent(well);
  const strict = uri.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ v: well }).toString().slice(2);
  const kept = keptInUrls.map((signs) =>
    strict.replaceAll(/%[2-7][0-9A-F]/g, (byte) => {
      const sign = decodeURIComponent(byte);
      return signs.includes(sign) ? sign : byte;
    }),
  );
  // Twice, as a URL stands in the query of another one.
  const twice = [encodeURIComponent(uri), encodeURIComponent(form)];
  const upper = [uri, strict, form, encodeURI(well), ...kept, asQuery(well), ...twice];
  return [...upper, ...upper.map((one) => one.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()))];
}

/** As browsers and Node write it in the query of a URL. */
function asQuery(text: string): string {
  const url = new URL('http://_');
  url.search = `_${text}`;
  return url.search.slice(2);
}

function jsonFormsOf(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const escaped = (pattern: RegExp, from: string): string =>
    from.replaceAll(pattern, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // oxlint-disable-next-line no-control-regex -- what is beyond ASCII
  const ascii = escaped(/[^\u0000-\u007f]/g, plain);
  const html = escaped(/[<>&\u2028\u2029]/g, plain);
  const all = [
    plain,
    plain.replaceAll('/', '\\/'),
    ascii,
    ascii.replaceAll('/', '\\/'),
    html,
    escaped(/[<>&'+]/g, ascii),
  ];
  const once = [
    ...all,
    ...all.map((one) => one.replaceAll(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`)),
  ];
  // Twice, as a body stands in the text of another one.
  return [...once, ...once.map((one) => JSON.stringify(one).slice(1, -1))];
}

function htmlFormsOf(text: string): string[] {
  const named = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  const quotes = ['&#39;', '&#x27;', '&#039;', '&apos;'].map((quote) => named.replaceAll("'", quote));
  return [named, ...quotes, ...quotes.map((one) => one.replaceAll('&quot;', '&#34;'))];
}
