import type { Exchange } from './handler.ts';
import { sendJson } from './respond.ts';

/** Answers discovery and version requests; false when the path is none of them. */
export function serveDiscovery({ info, response }: Exchange): boolean {
  if (info.path.replace(/\/$/, '') !== '/version') return false;
  sendJson(response, 200, { major: '1', minor: '36', gitVersion: 'v1.36.2+slicewise' });
  return true;
}
