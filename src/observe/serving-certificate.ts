import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createSecureContext } from 'node:tls';
import type { Clock, Timer } from '../clock.ts';
import { UserError } from '../user-error.ts';

/** PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** The certificate that a server shows. */
export interface ServingCertificate {
  readonly current: KeyPair;
  /** Told of each renewal. One listener. */
  onRenewal(listener: (pair: KeyPair) => void): void;
  close(): void;
}

export interface CertificateFiles {
  certFile: string;
  keyFile: string;
  clock: Clock;
  /** Told in one line when the files were replaced, or cannot be used; the pair before stays in use then. */
  onNote: (level: 'info' | 'warn', note: string) => void;
}

/** Files are looked at so often; kubelet and cert-manager replace them long before the old pair expires. */
const LOOK_MS = 10_000;

/** A pair of files that something else may renew. @throws UserError naming the flag and the file at fault. */
export async function certificateFromFiles(options: CertificateFiles): Promise<ServingCertificate> {
  const { clock, onNote, certFile } = options;
  let current = await readPair(options);
  let listener: (pair: KeyPair) => void = () => undefined;
  let timer: Timer | undefined;
  let closed = false;
  let lastTrouble = '';
  const look = async () => {
    try {
      const pair = await readPair(options);
      lastTrouble = '';
      if (pair.cert !== current.cert || pair.key !== current.key) {
        current = pair;
        listener(pair);
        onNote('info', `serving the renewed certificate of ${certFile}`);
      }
    } catch (error) {
      // Most often a pair of which only one file is new yet.
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== lastTrouble) onNote('warn', `still serving the certificate from before: ${trouble}`);
      lastTrouble = trouble;
    }
    schedule();
  };
  const schedule = () => {
    if (!closed) timer = clock.setTimer(() => void look(), LOOK_MS);
  };
  schedule();
  return {
    get current() {
      return current;
    },
    onRenewal(told) {
      listener = told;
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

async function readPair({ certFile, keyFile }: CertificateFiles): Promise<KeyPair> {
  const read = async (flag: string, file: string) => {
    try {
      return await readFile(file, 'utf8');
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw new UserError(`${flag}: cannot read ${file}: ${code}`, { cause });
    }
  };
  const pair = {
    cert: await read('--tls-cert-file', certFile),
    key: await read('--tls-private-key-file', keyFile),
  };
  try {
    createSecureContext(pair);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`--tls-cert-file ${certFile} and --tls-private-key-file ${keyFile} cannot be used: ${why}`, {
      cause,
    });
  }
  return pair;
}

/** A certificate that this process signs itself and keeps in memory only. */
export async function selfSignedCertificate(now: number): Promise<ServingCertificate> {
  // Loaded only here: few need it, and it is large.
  const { generate } = await import('selfsigned');
  const name = hostname();
  const year = 365 * 24 * 3600_000;
  const { cert, private: key } = await generate([{ name: 'commonName', value: `${name}@${Math.floor(now / 1000)}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 3600_000),
    notAfterDate: new Date(now + year),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { current: { cert, key }, onRenewal: () => undefined, close: () => undefined };
}
