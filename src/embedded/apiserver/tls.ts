import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface ServerCertificate {
  /** PEM. */
  ca: string;
  cert: string;
  key: string;
}

const validForMs = 10 * 365 * 24 * 3600 * 1000;

/** A new CA and a server certificate signed by it for loopback and `extra` names and addresses. */
export async function generateCertificate(extra: readonly string[] = [], now = Date.now()): Promise<ServerCertificate> {
  const span = { notBeforeDate: new Date(now - 3600_000), notAfterDate: new Date(now + validForMs) };
  const common = { ...span, keyType: 'ec', algorithm: 'sha256' } as const;
  const ca = await generate([{ name: 'commonName', value: 'slicewise-devcluster-ca' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const names = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    '127.0.0.1',
    '::1',
    ...extra,
  ];
  const server = await generate([{ name: 'commonName', value: 'slicewise-apiserver' }], {
    ...common,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
      },
    ],
  });
  return { ca: ca.cert, cert: server.cert, key: server.private };
}
