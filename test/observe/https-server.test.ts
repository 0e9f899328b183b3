import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateCertificate } from '../../src/embedded/apiserver/tls.ts';
import { type RunningHttpServer, startHttpServer, text } from '../../src/observe/http-server.ts';
import {
  certificateFromFiles,
  type ServingCertificate,
  selfSignedCertificate,
} from '../../src/observe/serving-certificate.ts';
import { eventually } from '../endpointslice/support/cluster.ts';
import { FakeClock } from '../support/fake-clock.ts';

let folder: string;
const open: RunningHttpServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-tls-'));
});

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** What a client sees: status, and the certificate that was shown. */
function get(port: number, path: string, ca: string): Promise<{ status: number | undefined; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ca, agent: false }, (response) => {
      const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume().once('end', () => resolve({ status: response.statusCode, fingerprint: fingerprint256 }));
    });
    sent.once('error', reject).end();
  });
}

async function serve(certificate: ServingCertificate, guarded?: number): Promise<number> {
  const server = await startHttpServer({
    name: 'status',
    address: { host: '127.0.0.1', port: 0 },
    routes: { '/livez': () => text('ok') },
    certificate,
    ...(guarded !== undefined && { guard: async () => text('no', guarded) }),
  });
  open.push(server);
  return server.address.port;
}

async function writePair(): Promise<{ ca: string; certFile: string; keyFile: string }> {
  const { ca, cert, key } = await generateCertificate();
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
  return { ca, certFile, keyFile };
}

describe('the status server over TLS', () => {
  it('shows the certificate of the files', async () => {
    const { ca, certFile, keyFile } = await writePair();
    const certificate = await certificateFromFiles({
      certFile,
      keyFile,
      clock: new FakeClock(),
      onNote: () => undefined,
    });
    const port = await serve(certificate);
    expect(await get(port, '/livez', ca)).toMatchObject({ status: 200 });
  });

  it('follows a renewal, and keeps the pair from before while only half of it is new', async () => {
    const clock = new FakeClock();
    const notes: string[] = [];
    const onNote = (level: string, note: string) => notes.push(`${level}: ${note}`);
    const first = await writePair();
    const certificate = await certificateFromFiles({ ...first, clock, onNote });
    const port = await serve(certificate);
    const before = await get(port, '/livez', first.ca);

    const { ca, cert, key } = await generateCertificate();
    await writeFile(first.certFile, cert);
    await eventually(async () => {
      await clock.advance(10_000);
      expect(notes).toHaveLength(1);
    });
    expect(notes[0]).toMatch(/^warn: still serving the certificate from before: --tls-cert-file .* cannot be used/);
    expect(await get(port, '/livez', first.ca)).toEqual(before);

    await writeFile(first.keyFile, key);
    await eventually(async () => {
      await clock.advance(10_000);
      expect(notes.at(-1)).toBe(`info: serving the renewed certificate of ${first.certFile}`);
    });
    expect((await get(port, '/livez', ca)).fingerprint).not.toBe(before.fingerprint);
    certificate.close();
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('signs a certificate for itself when there are no files', async () => {
    const certificate = await selfSignedCertificate(Date.now());
    const port = await serve(certificate);
    expect(await get(port, '/livez', certificate.current.cert)).toMatchObject({ status: 200 });
  });

  it('asks its guard before any page, but not for paths that are nobody’s', async () => {
    const certificate = await selfSignedCertificate(Date.now());
    const port = await serve(certificate, 403);
    expect(await get(port, '/livez', certificate.current.cert)).toMatchObject({ status: 403 });
    expect(await get(port, '/other', certificate.current.cert)).toMatchObject({ status: 404 });
  });

  it('names the flag and the file that cannot be read or used', async () => {
    const { certFile, keyFile } = await writePair();
    const rest = { clock: new FakeClock(), onNote: () => undefined };
    await expect(certificateFromFiles({ certFile: '/does/not/exist', keyFile, ...rest })).rejects.toThrow(
      '--tls-cert-file: cannot read /does/not/exist: ENOENT',
    );
    await writeFile(keyFile, 'nonsense');
    await expect(certificateFromFiles({ certFile, keyFile, ...rest })).rejects.toThrow(
      `--tls-private-key-file ${keyFile} cannot be used`,
    );
  });
});
