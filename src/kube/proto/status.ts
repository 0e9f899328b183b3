import type { ApiStatus } from '../errors.ts';
import { append, type ProtoReader } from './reader.ts';

type Details = NonNullable<ApiStatus['details']>;
type Cause = NonNullable<Details['causes']>[number];

/** meta/v1 Status, as far as errors are told apart by it. */
export function readStatus(reader: ProtoReader): ApiStatus {
  const status: ApiStatus = { kind: 'Status' };
  const { end } = reader;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 2:
        status.status = reader.string();
        break;
      case 3:
        status.message = reader.string();
        break;
      case 4:
        status.reason = reader.string();
        break;
      case 5:
        status.details = readDetails(reader, reader.message());
        break;
      case 6:
        status.code = reader.int();
        break;
      default:
        reader.skip();
    }
  }
  return status;
}

function readDetails(reader: ProtoReader, end: number): Details {
  const details: Details = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 4) details.causes = append(details.causes, readCause(reader, reader.message()));
    else if (field === 5) details.retryAfterSeconds = reader.int();
    else reader.skip();
  }
  return details;
}

/** The type of a cause is called `reason` in JSON. */
function readCause(reader: ProtoReader, end: number): Cause {
  const cause: Cause = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) cause.reason = reader.string();
    else if (field === 2) cause.message = reader.string();
    else if (field === 3) cause.field = reader.string();
    else reader.skip();
  }
  return cause;
}
