import type { ApiStatus } from '../errors.ts';
import type { ProtoReader } from './reader.ts';

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

function readDetails(reader: ProtoReader, end: number): NonNullable<ApiStatus['details']> {
  const details: NonNullable<ApiStatus['details']> = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 5) details.retryAfterSeconds = reader.int();
    else reader.skip();
  }
  return details;
}
