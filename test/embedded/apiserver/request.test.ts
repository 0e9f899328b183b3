import { describe, expect, it } from 'vitest';
import { parseRequest } from '../../../src/embedded/apiserver/request.ts';

const parse = (method: string, url: string) => parseRequest({ method, url });
const core = { group: '', version: 'v1' };

describe('requests', () => {
  it.each([
    ['GET', '/api/v1/pods', 'list', { ...core, plural: 'pods' }],
    ['GET', '/api/v1/pods?watch=1', 'watch', { ...core, plural: 'pods' }],
    ['GET', '/api/v1/pods?watch=false', 'list', { ...core, plural: 'pods' }],
    ['GET', '/api/v1/namespaces/n/pods/p?watch=1', 'get', { ...core, plural: 'pods', namespace: 'n', name: 'p' }],
    ['POST', '/api/v1/namespaces/n/pods', 'create', { ...core, plural: 'pods', namespace: 'n' }],
    ['DELETE', '/api/v1/namespaces/n/pods', 'deletecollection', { ...core, plural: 'pods', namespace: 'n' }],
    ['GET', '/api/v1/namespaces', 'list', { ...core, plural: 'namespaces' }],
    ['GET', '/api/v1/namespaces/n', 'get', { ...core, plural: 'namespaces', name: 'n' }],
    [
      'PUT',
      '/api/v1/namespaces/n/status',
      'update',
      { ...core, plural: 'namespaces', name: 'n', subresource: 'status' },
    ],
    [
      'PUT',
      '/api/v1/namespaces/n/finalize',
      'update',
      { ...core, plural: 'namespaces', name: 'n', subresource: 'finalize' },
    ],
    [
      'PATCH',
      '/apis/apps/v1/namespaces/n/deployments/d/scale',
      'patch',
      { group: 'apps', version: 'v1', plural: 'deployments', namespace: 'n', name: 'd', subresource: 'scale' },
    ],
    ['DELETE', '/api/v1/nodes/a%2Fb', 'delete', { ...core, plural: 'nodes', name: 'a/b' }],
  ])('%s %s is a %s', (method, url, verb, target) => {
    const info = parse(method, url);
    expect(info.verb).toBe(verb);
    expect({ ...info.resource }).toEqual({ namespace: undefined, name: undefined, subresource: undefined, ...target });
  });

  it.each(['/', '/version', '/api', '/apis/apps', '/apis/apps/v1', '/openapi/v3'])('%s is no resource', (url) => {
    expect(parse('GET', url).resource).toBeUndefined();
  });
});
