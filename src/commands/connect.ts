import { X509Certificate } from 'node:crypto';
import type { KubeClient } from '../kube/client.ts';
import { KubeconfigError } from '../kube/errors.ts';
import { type AccessOptions, type ClusterAccess, loadClusterAccess } from '../kube/kubeconfig.ts';
import { messageOf } from '../kube/values.ts';
import { UserError } from '../user-error.ts';

/** @throws UserError in one line when the kubeconfig is no good, or the certificate in it. */
export async function clusterAccess(options: AccessOptions, now: number): Promise<ClusterAccess> {
  try {
    const access = await loadClusterAccess(options);
    const { cert } = access.server.startsWith('https:') ? await access.tls() : {};
    if (cert !== undefined) checkValidity(new X509Certificate(cert), access.source, now);
    return access;
  } catch (error) {
    if (error instanceof KubeconfigError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

/** The API server only says "Unauthorized" of these. */
function checkValidity({ validFromDate, validToDate }: X509Certificate, source: string, now: number): void {
  const day = (date: Date) => date.toISOString().replace('.000Z', 'Z');
  if (validToDate.getTime() <= now) {
    throw new UserError(`${source}: the client certificate expired at ${day(validToDate)}`);
  }
  if (validFromDate.getTime() > now) {
    throw new UserError(`${source}: the client certificate is not valid before ${day(validFromDate)}`);
  }
}

/** @throws UserError in one line when the API server does not answer, or not to us. */
export async function probe(client: KubeClient, access: ClusterAccess): Promise<void> {
  try {
    await client.request({ method: 'GET', path: '/version', timeoutMs: 10_000 });
  } catch (error) {
    throw new UserError(`cannot talk to the API server at ${access.server} (${access.source}): ${messageOf(error)}`, {
      cause: error,
    });
  }
}
