/** Keeps hosts with one serving Pod until it is told to end: the thing to be killed by leaks.test.ts. */
import { fileURLToPath } from 'node:url';
import { startNamespaceHosts } from '../../../src/embedded/hosts/namespace-hosts.ts';
import { topology } from './namespaces.ts';

const hosts = await startNamespaceHosts({ topology });
process.once('SIGINT', () => void hosts.stop());
await hosts.addPod('worker1', { pod: 'default/web', ipv4: '10.244.1.2' });
const server = fileURLToPath(new URL('../../../src/embedded/hosts/pod-server.ts', import.meta.url));
const serving = await hosts.spawn('default/web', [process.execPath, server], { env: { POD_NAME: 'web', PORTS: '80' } });
await serving.waitForLine(/listening/);
await hosts.exec('worker1', ['iptables', '-t', 'nat', '-N', 'KUBE-SERVICES']);
process.stdout.write(`${JSON.stringify({ unshare: hosts.pid, runDir: hosts.runDir })}\n`);
await serving.exited;
