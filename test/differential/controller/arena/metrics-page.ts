export interface Family {
  help: string;
  type: string;
  /** Names of labels of each series, `le` aside. */
  labels: string[];
  /** Upper bounds of a histogram's buckets. */
  buckets: number[];
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples on a page in Prometheus' text format. */
export function samples(page: string): Sample[] {
  return [...page.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]),
    ),
    value: Number(value),
  }));
}

/** The families whose name begins with one of `prefixes`, with series for which `wanted` holds. */
export function families(
  page: string,
  prefixes: readonly string[],
  wanted: (sample: Sample) => boolean = () => true,
): Record<string, Family> {
  const all = samples(page).filter(wanted);
  const result: Record<string, Family> = {};
  for (const [, name = '', help = ''] of page.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    if (!prefixes.some((prefix) => name.startsWith(prefix))) continue;
    const own = all.filter(
      (sample) => sample.name.replace(/_(bucket|sum|count)$/, '') === name || sample.name === name,
    );
    const bounds = own.flatMap(({ labels: { le } }) => (le === undefined || le === '+Inf' ? [] : [Number(le)]));
    result[name] = {
      help,
      type: new RegExp(`^# TYPE ${name} (\\S+)$`, 'm').exec(page)?.[1] ?? '',
      labels: [...new Set(own.flatMap(({ labels }) => Object.keys(labels)))].filter((key) => key !== 'le').sort(),
      buckets: [...new Set(bounds)].sort((a, b) => a - b),
    };
  }
  return result;
}
