import type { Answer, Body, TestServer } from './harness.ts';

/** What an object is refused for, as `field: message`; [] when it is not refused. */
export function refusals({ body }: Answer): string[] {
  return (body.details?.causes ?? []).map(({ field, message }) => (field ? `${field}: ${message}` : (message ?? '')));
}

/** A try at creating: nothing is stored. */
export async function tryCreate(server: TestServer, path: string, body: Record<string, unknown>): Promise<Answer> {
  return server.post(path, { ...body, metadata: { name: 'x', ...asRecord(body.metadata) } }, { dryRun: 'All' });
}

/** @throws Error with the server's message when the object is not created. */
export async function create(server: TestServer, path: string, body: Record<string, unknown>): Promise<Body> {
  const answer = await server.post(path, { ...body, metadata: { name: 'x', ...asRecord(body.metadata) } });
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.body.message}`);
  return answer.body;
}

/** Reads an object, changes it and writes it back, to a subresource if one is named. */
export async function edit(
  server: TestServer,
  path: string,
  change: (object: Body) => void,
  subresource?: string,
): Promise<Answer> {
  const { body } = await server.get(path);
  change(body);
  return server.put(subresource === undefined ? path : `${path}/${subresource}`, body);
}

/** The cells of an object's row as `kubectl get` asks for them, by column; the age, which no test can know, is left out. */
export async function cells(server: TestServer, path: string): Promise<Record<string, unknown>> {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const { body } = await server.call('GET', path, { headers: { accept } });
  const columns = body.columnDefinitions as { name: string }[];
  const [row] = body.rows as { cells: unknown[] }[];
  const named = columns.map(({ name }, i) => [name, row?.cells[i]] as const);
  return Object.fromEntries(named.filter(([name]) => name !== 'Age'));
}

export async function columns(server: TestServer, path: string): Promise<string[]> {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const { body } = await server.call('GET', path, { headers: { accept } });
  const definitions = body.columnDefinitions as { name: string; priority: number }[];
  return definitions.map(({ name, priority }) => (priority === 0 ? name : `${name} (wide)`));
}

/** Names of the objects that a field selector selects. */
export async function selected(server: TestServer, path: string, fieldSelector: string): Promise<string[]> {
  const { body } = await server.get(path, { fieldSelector });
  return body.items.map(({ metadata }) => metadata.name);
}

function asRecord(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

export const labelHelp =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
export const subdomainHelp =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
export const qualifiedHelp =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
export const labelValueHelp =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
export const notAnAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
export const loopback = 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
export const linkLocal = 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
export const linkLocalMulticast = 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
