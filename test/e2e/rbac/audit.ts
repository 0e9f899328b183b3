import { readFile } from 'node:fs/promises';
import { isRecord } from '../../../src/kube/values.ts';

/** One answered request, in RBAC's words. */
export interface Audited {
  user: string;
  verb: string;
  /** `''` is the core group. */
  group: string;
  /** With its subresource: `services/finalizers`. Empty for what is no resource, such as `/version`. */
  resource: string;
  name: string;
  code: number;
  path: string;
}

/** Everything that service accounts of kube-system ask for; a watch as soon as it is answered. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:kube-system"]
- level: None
`;

/** The log that kube-apiserver writes with --audit-log-path: one JSON object a line. */
export class AuditLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Answered requests of `user`, in order. */
  async requests(user: string): Promise<Audited[]> {
    const text = await readFile(this.#path, 'utf8');
    // The last line may be half written.
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines.flatMap((line) => (line.includes(`"${user}"`) ? audited(JSON.parse(line), user) : []));
  }

  async refused(user: string): Promise<Audited[]> {
    return (await this.requests(user)).filter(({ code }) => code === 401 || code === 403);
  }
}

function audited(event: unknown, user: string): Audited[] {
  if (!isRecord(event) || !isRecord(event.user) || event.user.username !== user) return [];
  const { responseStatus: status } = event;
  const object = isRecord(event.objectRef) ? event.objectRef : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const sub = text(object.subresource);
  return [
    {
      user,
      verb: text(event.verb),
      group: text(object.apiGroup),
      resource: sub === '' ? text(object.resource) : `${text(object.resource)}/${sub}`,
      name: text(object.name),
      code: isRecord(status) ? Number(status.code) : 0,
      path: text(event.requestURI),
    },
  ];
}
