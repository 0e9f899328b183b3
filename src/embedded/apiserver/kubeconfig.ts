import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';

export interface KubeconfigInput {
  server: string;
  /** PEM; absent for plain HTTP. */
  caData: string | undefined;
  token: string;
  /** Name of cluster, user and context. */
  name?: string;
}

export function renderKubeconfig({ server, caData, token, name = 'slicewise' }: KubeconfigInput): string {
  const authority =
    caData === undefined ? {} : { 'certificate-authority-data': Buffer.from(caData).toString('base64') };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, ...authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** Readable by its owner only, because it holds a token. */
export async function writeKubeconfig(path: string, input: KubeconfigInput): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, renderKubeconfig(input), { mode: 0o600 });
  await chmod(path, 0o600);
}
