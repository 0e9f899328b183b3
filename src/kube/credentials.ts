import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { resolve } from 'node:path';
import type { User } from '@kubernetes/client-node/dist/config_types.js';
import type { Clock } from '../clock.ts';
import { KubeconfigError } from './errors.ts';
import type { KubeconfigUser } from './kubeconfig-file.ts';
import { errorCode, isRecord, messageOf, singleLine } from './values.ts';

/** A client certificate and its key, PEM. */
export interface ClientCertificate {
  cert: string;
  key: string;
}

export interface Credential {
  /** Value of the `Authorization` header. */
  authorization?: string;
  /** Only exec plugins hand out certificates this way; those of the kubeconfig are read with the CA. */
  certificate?: ClientCertificate;
}

/** Where requests get their identity from. */
export interface CredentialSource {
  /** @throws KubeconfigError when there is none to be had. */
  current(): Promise<Credential>;
  /** The server did not accept the last one: the next `current()` must fetch anew. False when that cannot change anything. */
  refused(): boolean;
}

/** How long a token file's content is used before it is read again; the API server's own rotation is far slower. */
const TOKEN_FILE_MAX_AGE_MS = 60_000;
/** An exec plugin that asks a browser or a cloud API answers within seconds; one that hangs must not hang us. */
const EXEC_TIMEOUT_MS = 60_000;

export function credentialSource(entry: KubeconfigUser, server: string, clock: Clock): CredentialSource {
  const { user } = entry;
  if (user.exec) return new ExecCredential(entry, server);
  if (entry.tokenFile) return new TokenFile(entry.tokenFile, clock);
  if (user.token) {
    if (!isToken(user.token)) throw wrongToken(`the token of user "${user.name}"`, { field: 'users[].user.token' });
    return fixed({ authorization: `Bearer ${user.token}` });
  }
  if (user.authProvider) return new AuthProvider(user);
  if (user.username) {
    const pair = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    return fixed({ authorization: `Basic ${pair}` });
  }
  return fixed({});
}

/** What a header can carry (RFC 9110): no blanks, nothing beyond ASCII. */
function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function wrongToken(where: string, init: { file?: string; field: string }): KubeconfigError {
  return new KubeconfigError(`${where} has a blank, a line break or another character that no token has`, init);
}

export function fixed(credential: Credential): CredentialSource {
  const current = Promise.resolve(credential);
  return { current: () => current, refused: () => false };
}

/** A bearer token in a file that something else renews (a projected service account token). */
export class TokenFile implements CredentialSource {
  #file: string;
  #clock: Clock;
  #token: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  async current(): Promise<Credential> {
    if (this.#clock.monotonic() - this.#readAt >= TOKEN_FILE_MAX_AGE_MS) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return { authorization: `Bearer ${this.#token}` };
  }

  refused(): boolean {
    this.#readAt = Number.NEGATIVE_INFINITY;
    return true;
  }

  async #read(): Promise<void> {
    const file = this.#file;
    try {
      const token = (await readFile(file, 'utf8')).trim();
      if (token === '') throw new KubeconfigError(`token file ${file} is empty`, { file, field: 'tokenFile' });
      if (!isToken(token)) throw wrongToken(`token file ${file}`, { file, field: 'tokenFile' });
      this.#token = token;
      this.#readAt = this.#clock.monotonic();
    } catch (cause) {
      // While the file is being replaced the token at hand still serves; the server refuses it once it is really old.
      if (this.#token !== undefined) return;
      if (cause instanceof KubeconfigError) throw cause;
      throw new KubeconfigError(`cannot read token file ${file}: ${errorCode(cause) || messageOf(cause)}`, {
        file,
        field: 'tokenFile',
        cause,
      });
    }
  }
}

/** A credential plugin (client.authentication.k8s.io): run again once what it gave has expired, or was refused. */
class ExecCredential implements CredentialSource {
  #user: User;
  #command: string;
  #auth: Promise<ExecAuthLike> | undefined;
  #running: Promise<Credential> | undefined;

  constructor(entry: KubeconfigUser, server: string) {
    const exec: unknown = entry.user.exec;
    if (!isRecord(exec) || typeof exec.command !== 'string' || exec.command === '') {
      throw new KubeconfigError(`user "${entry.user.name}": exec.command is missing`, {
        field: 'users[].user.exec.command',
      });
    }
    // As kubectl: a command with a slash in it is relative to the kubeconfig, a bare one is looked up in PATH.
    this.#command = exec.command.includes('/') ? resolve(entry.directory, exec.command) : exec.command;
    const info = {
      apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false, ...(exec.provideClusterInfo === true && { cluster: { server } }) },
    };
    const env = Array.isArray(exec.env) ? exec.env : [];
    this.#user = {
      ...entry.user,
      exec: {
        ...exec,
        command: this.#command,
        args: Array.isArray(exec.args) ? exec.args : [],
        env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }],
      },
    };
  }

  current(): Promise<Credential> {
    this.#running ??= this.#fetch().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  refused(): boolean {
    this.#auth = undefined;
    return true;
  }

  async #fetch(): Promise<Credential> {
    this.#auth ??= newExecAuth();
    const auth = await this.#auth;
    const options: RequestOptions = {};
    try {
      await auth.applyAuthentication(this.#user, options);
    } catch (cause) {
      throw new KubeconfigError(`user "${this.#user.name}": exec ${this.#command}: ${failureOf(cause)}`, {
        field: 'users[].user.exec',
        cause,
      });
    }
    const authorization = headerOf(options);
    const { cert, key } = options;
    return {
      ...(authorization !== undefined && { authorization }),
      ...(typeof cert === 'string' && typeof key === 'string' && { certificate: { cert, key } }),
    };
  }
}

function failureOf(cause: unknown): string {
  if (errorCode(cause) === 'ENOENT') return 'no such command';
  const message = singleLine(messageOf(cause));
  if (cause instanceof SyntaxError) return `what it printed is no ExecCredential: ${message}`;
  return message || 'it failed silently';
}

interface ExecAuthLike {
  applyAuthentication(user: User, options: RequestOptions): Promise<void>;
}

async function newExecAuth(): Promise<ExecAuthLike> {
  const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
  const auth = new ExecAuth();
  // Its own spawn has no time limit.
  Object.assign(auth, {
    execFn: (command: string, args: string[], options: object) =>
      spawn(command, args, { ...options, timeout: EXEC_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe'] }),
  });
  return auth;
}

/** The old built-in providers (`oidc`, `gcp`, `azure`): rare enough that only they pay for all of client-node. */
class AuthProvider implements CredentialSource {
  #user: User;
  #config: Promise<{ applyToHTTPSOptions(options: RequestOptions): Promise<void> }> | undefined;

  constructor(user: User) {
    this.#user = user;
  }

  async current(): Promise<Credential> {
    this.#config ??= this.#load();
    const options: RequestOptions = {};
    try {
      await (await this.#config).applyToHTTPSOptions(options);
    } catch (cause) {
      throw new KubeconfigError(`user "${this.#user.name}": auth-provider: ${singleLine(messageOf(cause))}`, {
        field: 'users[].user.auth-provider',
        cause,
      });
    }
    const authorization = headerOf(options);
    return authorization === undefined ? {} : { authorization };
  }

  refused(): boolean {
    this.#config = undefined;
    return true;
  }

  async #load() {
    const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
    const config = new KubeConfig();
    // Only the user matters here: the cluster's address and CA are ours to apply.
    config.loadFromClusterAndUser({ name: 'any', server: 'https://unused.invalid', skipTLSVerify: false }, this.#user);
    return config;
  }
}

function headerOf(options: RequestOptions): string | undefined {
  const headers: unknown = options.headers;
  return isRecord(headers) && typeof headers.Authorization === 'string' ? headers.Authorization : undefined;
}
