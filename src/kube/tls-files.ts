import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import type { Clock } from '../clock.ts';
import type { ClientCertificate } from './credentials.ts';
import { KubeconfigError } from './errors.ts';
import { errorCode, messageOf, singleLine } from './values.ts';

/** What `tls.connect` needs beyond host and port. PEM texts. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized?: boolean;
  servername?: string;
}

/** Certificates that kubelet or cert-manager renew in place are picked up by connections opened later than this. */
const MAX_AGE_MS = 60_000;

/** CA and client certificate of one kubeconfig context, re-read when they are files. */
export class TlsFiles {
  #cluster: Cluster;
  #user: User | undefined;
  #source: string;
  #clock: Clock;
  #current: TlsMaterial | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #fromExec: ClientCertificate | undefined;

  constructor(cluster: Cluster, user: User | undefined, source: string, clock: Clock) {
    this.#cluster = cluster;
    this.#user = user;
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * `certificate`: one from an exec plugin; it replaces the kubeconfig's.
   * @throws KubeconfigError when something cannot be read or used; once something good was read, a bad renewal is passed over.
   */
  async current(certificate?: ClientCertificate): Promise<TlsMaterial> {
    const now = this.#clock.monotonic();
    const sameExec = certificate?.cert === this.#fromExec?.cert;
    if (this.#current && sameExec && now - this.#readAt < MAX_AGE_MS) return this.#current;
    try {
      const read = await this.#read(certificate);
      if (!this.#current || JSON.stringify(read) !== JSON.stringify(this.#current)) this.#current = read;
      this.#fromExec = certificate;
    } catch (error) {
      // A half-replaced pair of files: the old pair serves until the next look.
      if (!this.#current) throw error;
    }
    this.#readAt = now;
    return this.#current;
  }

  async #read(certificate: ClientCertificate | undefined): Promise<TlsMaterial> {
    const cluster = this.#cluster;
    const user = this.#user;
    const ca = await this.#pem('certificate-authority', cluster.caFile, cluster.caData);
    const cert = certificate?.cert ?? (await this.#pem('client-certificate', user?.certFile, user?.certData));
    const key = certificate?.key ?? (await this.#pem('client-key', user?.keyFile, user?.keyData));
    if ((cert === undefined) !== (key === undefined)) {
      const field = cert === undefined ? 'client-certificate' : 'client-key';
      throw this.#error(field, `${field} is missing beside its counterpart`, undefined);
    }
    const material: TlsMaterial = {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
      ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    };
    try {
      createSecureContext({ ca, cert, key });
    } catch (cause) {
      throw this.#error('client-certificate', `certificates cannot be used: ${singleLine(messageOf(cause))}`, cause);
    }
    return material;
  }

  async #pem(field: string, file: string | undefined, data: string | undefined): Promise<string | undefined> {
    // Embedded data wins over a file, as in client-go.
    if (data) {
      const text = Buffer.from(data, 'base64').toString('utf8');
      if (!text.includes('-----BEGIN')) {
        throw this.#error(`${field}-data`, `${field}-data is not PEM text in base64`, undefined);
      }
      return text;
    }
    if (!file) return undefined;
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      throw this.#error(field, `cannot read ${field} ${file}: ${errorCode(cause) || messageOf(cause)}`, cause, file);
    }
    if (!text.includes('-----BEGIN')) throw this.#error(field, `${field} ${file} is not PEM text`, undefined, file);
    return text;
  }

  #error(field: string, message: string, cause: unknown, file?: string): KubeconfigError {
    return new KubeconfigError(`${this.#source}: ${message}`, { file, field, cause });
  }
}
