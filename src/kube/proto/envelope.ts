import { ProtobufError, ProtoReader } from './reader.ts';

/** Media type of Kubernetes' protobuf; objects in it begin with this magic number (k8s.io/apimachinery, runtime/serializer/protobuf). */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
/** What to accept from a server that may speak JSON only. */
export const ACCEPT_PROTOBUF = `${PROTOBUF}, application/json`;
export const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  kind: string;
  /** The object's own message. */
  raw: Buffer;
}

export function isEnvelope(bytes: Buffer): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Opens `runtime.Unknown`, the envelope of every object: type in field 1, the object's bytes in field 2. */
export function openEnvelope(bytes: Buffer): Envelope {
  if (!isEnvelope(bytes)) {
    throw new ProtobufError('the object does not begin as Kubernetes protobuf does');
  }
  const reader = new ProtoReader(bytes, MAGIC.length);
  const { end } = reader;
  let kind = '';
  let raw = Buffer.alloc(0) as Buffer;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) kind = readKind(reader, reader.message());
    else if (field === 2) raw = reader.slice();
    else reader.skip();
  }
  return { kind, raw };
}

function readKind(reader: ProtoReader, end: number): string {
  let kind = '';
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 2) kind = reader.shared();
    else reader.skip();
  }
  return kind;
}
