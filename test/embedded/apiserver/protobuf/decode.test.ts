import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from '../../../../src/embedded/apiserver/protobuf/decode.ts';
import { messageOf } from '../../../../src/embedded/apiserver/protobuf/messages.ts';

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return bytes;
}

const number = (field: number, value: number | bigint) => [...varint(BigInt(field << 3)), ...varint(BigInt(value))];
const bytes = (field: number, content: number[]) => [
  ...varint(BigInt((field << 3) | 2)),
  ...varint(BigInt(content.length)),
  ...content,
];
const string = (field: number, text: string) => bytes(field, [...Buffer.from(text)]);
const mapEntry = (field: number, key: string, value: number[]) => bytes(field, [...string(1, key), ...bytes(2, value)]);

function envelope(apiVersion: string, kind: string, raw: number[]): Uint8Array {
  const type = bytes(1, [...string(1, apiVersion), ...string(2, kind)]);
  return Uint8Array.from([...Buffer.from('k8s\0'), ...type, ...bytes(2, raw)]);
}

describe('protobuf bodies', () => {
  it('become what they are in JSON', () => {
    const port = [...string(1, 'http'), ...number(3, 80), ...bytes(4, [...number(1, 1), ...string(3, 'web')])];
    const metadata = [
      ...string(1, 'svc'),
      ...mapEntry(11, 'app', [...Buffer.from('web')]),
      ...string(14, 'a/b'),
      ...bytes(8, [...number(1, 1_767_225_600)]),
    ];
    const raw = [...bytes(1, metadata), ...bytes(2, bytes(1, port))];
    expect(decodeProtobuf(envelope('v1', 'Service', raw))).toEqual({
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 'svc', labels: { app: 'web' }, finalizers: ['a/b'], creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
    });
  });

  it('spread what JSON spreads, and keep negative numbers and raw bytes', () => {
    const hostPath = bytes(2, bytes(1, string(1, '/x')));
    const volume = [...string(1, 'v'), ...hostPath];
    const raw = [...bytes(1, number(7, -3n)), ...bytes(2, bytes(1, volume))];
    const pod = decodeProtobuf(envelope('v1', 'Pod', raw));
    expect(pod).toMatchObject({
      metadata: { generation: -3 },
      spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
    });
    const secret = decodeProtobuf(envelope('v1', 'Secret', mapEntry(2, 'k', [0, 255])));
    expect(secret).toMatchObject({ data: { k: 'AP8=' } });
  });

  it('skip fields that are not known', () => {
    const raw = [...number(99, 5), ...string(98, 'x'), ...bytes(1, string(1, 'n'))];
    expect(decodeProtobuf(envelope('v1', 'Namespace', raw))).toMatchObject({ metadata: { name: 'n' } });
  });

  it('of kinds with equal names in two groups are told apart', () => {
    expect(messageOf('core.Event')?.get(3)?.name).toBe('reason');
    expect(messageOf('events.Event')?.get(10)?.name).toBe('note');
  });

  it.each([
    ['without the mark', Uint8Array.from(Buffer.from('{"a":1}')), 'does not start with the mark'],
    ['of an unknown kind', envelope('v1', 'Nonsense', []), 'no protobuf form of kind "Nonsense" in "v1"'],
    ['that is cut short', envelope('v1', 'Pod', [0x0a, 0x7f, 1]), 'cut short'],
    ['with a group', envelope('v1', 'Pod', [0x0b]), 'wire type 3'],
    ['with an endless number', envelope('v1', 'Pod', [0x08, 0x80]), 'no end of a number'],
  ])('are refused %s', (_, body, message) => {
    expect(() => decodeProtobuf(body)).toThrow(message);
  });
});
