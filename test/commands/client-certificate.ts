import { generate } from 'selfsigned';

/** The user of a kubeconfig, with a client certificate that is valid between two times. */
export async function clientCertificate(notBefore: string, notAfter: string): Promise<Record<string, string>> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'u' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(notBefore),
    notAfterDate: new Date(notAfter),
  });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
}
