/** A request that reached the API server. */
export interface Arrival {
  /** Epoch milliseconds. */
  at: number;
  user: string;
  verb: string;
  plural: string;
  name: string | undefined;
  /** HTTP status; undefined when the request was never answered. */
  status: number | undefined;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

const isSliceWrite = ({ plural, verb }: Arrival) => plural === 'endpointslices' && WRITES.has(verb);

/** A replica took, renewed or gave back the Lease: from then on nobody else may write until another does so. */
const holdsLease = ({ plural, verb, status = 0 }: Arrival) =>
  plural === 'leases' && WRITES.has(verb) && status >= 200 && status < 300;

/** The slice writes, successful or not, that came from a replica while another was the last to hold the Lease. In order of arrival. */
export function writesOutOfTurn(log: readonly Arrival[]): string[] {
  const found: string[] = [];
  let holder: string | undefined;
  for (const arrival of log) {
    if (holdsLease(arrival)) holder = arrival.user;
    else if (isSliceWrite(arrival) && arrival.user !== holder) {
      found.push(`${arrival.user} ${arrival.verb} ${arrival.name ?? ''} while ${holder ?? 'nobody'} held the lease`);
    }
  }
  return found;
}

export interface Takeover {
  user: string;
  /** Milliseconds from the last sign of the leader before until this one had the Lease. */
  afterLastRenewalMs: number;
  /** Milliseconds from the Lease to the first write of a slice; undefined when there was none. */
  firstWriteMs: number | undefined;
}

/** Every change of leader in the log. */
export function takeovers(log: readonly Arrival[]): Takeover[] {
  const found: (Takeover & { at: number })[] = [];
  let last: Arrival | undefined;
  for (const arrival of log) {
    const current = found.at(-1);
    if (isSliceWrite(arrival) && current?.user === arrival.user) current.firstWriteMs ??= arrival.at - current.at;
    if (!holdsLease(arrival)) continue;
    if (last && last.user !== arrival.user) {
      const { user, at } = arrival;
      found.push({ user, at, afterLastRenewalMs: at - last.at, firstWriteMs: undefined });
    }
    last = arrival;
  }
  return found.map(({ at: _, ...takeover }) => takeover);
}
