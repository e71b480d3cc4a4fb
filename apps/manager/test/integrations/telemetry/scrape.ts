export interface Scrape {
  readonly status: number;
  readonly text: string;
  /** Label names by the name of the series, as PromQL knows both. */
  readonly series: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of the metrics: without `_bucket`, `_sum` and `_count`. */
  readonly names: readonly string[];
}

/** What Prometheus would read. */
export async function scrape(port: number, path = '/metrics', method = 'GET'): Promise<Scrape> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  const text = await response.text();
  const series = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [, name, inner = ''] = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? /i.exec(line) ?? [];
    if (name === undefined) continue;
    const known = series.get(name) ?? new Set();
    for (const [, label] of inner.matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)) known.add(String(label));
    series.set(name, known);
  }
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => String(name));
  return { status: response.status, text, series, names: names.filter((name) => name !== 'target_info') };
}
