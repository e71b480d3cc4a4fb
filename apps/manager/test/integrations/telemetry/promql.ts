const words = new Set(['by', 'without', 'and', 'or', 'unless', 'offset', 'on', 'ignoring', 'bool']);

export interface Used {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** The metrics of an expression, each with the labels that are asked of it; enough of PromQL for what is written here. */
export function metricsIn(expression: string): Used[] {
  const grouped = [...expression.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].flatMap(([, names]) => namesIn(names));
  const bare = expression
    .replaceAll(/\b(?:by|without)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const found: Used[] = [];
  for (const [, metric = '', open, selector = ''] of bare.matchAll(
    /(?<![\w.:$])([a-zA-Z_:][\w:]*)\s*(\(|(?:\{([^}]*)\})?)/g,
  )) {
    if (open === '(' || words.has(metric)) continue;
    const asked = [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, name]) => String(name));
    found.push({ metric, labels: [...asked, ...grouped] });
  }
  return found;
}

function namesIn(list: string | undefined): string[] {
  return (list ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}
