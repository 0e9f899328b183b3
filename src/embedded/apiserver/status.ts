import type { Cause, KindDefinition } from './kind.ts';

/** A `Status` of meta/v1, the body of every answer that is not the asked-for object. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: { reason?: string; message?: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** What a failing request answers with; thrown anywhere below the request handler. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status;
  readonly code: number;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails,
    metadata: Status['metadata'] = {},
  ) {
    super(message);
    this.code = code;
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details ? { details } : {}),
      code,
    };
  }
}

type KindName = Pick<KindDefinition, 'group' | 'plural' | 'kind'>;

/** `pods`, `deployments.apps`: a resource as the messages name it. */
export function qualifiedResource(kind: KindName): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}

function details(kind: KindName, name: string, extra: StatusDetails = {}): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    ...extra,
  };
}

export function notFound(kind: KindName, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualifiedResource(kind)} "${name}" not found`, details(kind, name));
}

export function alreadyExists(kind: KindName, name: string, deleting = false): StatusError {
  const message = `${deleting ? 'object is being deleted: ' : ''}${qualifiedResource(kind)} "${name}" already exists`;
  return new StatusError(409, 'AlreadyExists', message, details(kind, name));
}

export function conflict(kind: KindName, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(kind)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, details(kind, name));
}

export const modifiedMessage =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(kind: KindName, name: string, why: string, causes?: StatusDetails['causes']): StatusError {
  const subject = name === '' ? qualifiedResource(kind) : `${qualifiedResource(kind)} "${name}"`;
  const message = `${subject} is forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, details(kind, name, causes ? { causes } : {}));
}

/**
 * 422 with one cause for each thing wrong; `causes` must not be empty. The message says a thing once that several rules refuse,
 * and names a kind that is stored under another group as that one does.
 */
export function invalid(
  kind: Pick<KindName, 'group' | 'kind'> & Pick<KindDefinition, 'aliasOf'>,
  name: string,
  causes: Cause[],
): StatusError {
  const group = kind.aliasOf?.group ?? kind.group;
  const all = causes.map((cause) => (cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`));
  const texts = [...new Set(all)];
  const list = texts.length === 1 ? texts.join() : `[${texts.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${qualifiedKind({ group, kind: kind.kind })} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    causes: causes.map(({ reason, message, field }) => ({ reason, message, ...(field === '' ? {} : { field }) })),
  });
}

function qualifiedKind(kind: Pick<KindName, 'group' | 'kind'>): string {
  return kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

/** 410: the resource version asked for is no longer held. */
export function expired(message: string, metadata?: Status['metadata']): StatusError {
  return new StatusError(410, 'Expired', message, undefined, metadata);
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return new StatusError(405, 'MethodNotAllowed', message, {});
}

export function noSuchResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}
