const secondsForm = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,]\d+)?(Z|[+-]\d{2}:\d{2})$/;
const microsecondsForm = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\.(\d{6})(Z|[+-]\d{2}:\d{2})$/;

/** A meta/v1 Time in UTC and whole seconds; undefined when `text` is not RFC 3339. */
export function canonicalTime(text: string): string | undefined {
  const match = secondsForm.exec(text);
  const utc = match && toUtcSeconds(match[1], match[2]);
  return utc ? `${utc}Z` : undefined;
}

/** A meta/v1 MicroTime in UTC; undefined when `text` is not RFC 3339 with exactly six fractional digits. */
export function canonicalMicroTime(text: string): string | undefined {
  const match = microsecondsForm.exec(text);
  const utc = match && toUtcSeconds(match[1], match[3]);
  return utc ? `${utc}.${match[2]}Z` : undefined;
}

function toUtcSeconds(local: string | undefined, zone: string | undefined): string | undefined {
  const time = Date.parse(`${local}${zone}`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().slice(0, 19);
}
