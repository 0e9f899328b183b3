import type { Exchange } from './exchange.ts';
import { acceptsDocument } from './negotiate.ts';
import type { Registry, ServedKind } from './registry.ts';
import { sendBuffers, sendJson } from './respond.ts';
import { reviewResources } from './reviews.ts';

export const gitVersion = 'v1.36.2+slicewise';

const version = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion,
  gitCommit: 'unknown',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: `node-${process.version}`,
  compiler: 'node',
  platform: `${process.platform}/${process.arch}`,
};

/** Answers discovery and version requests; false when the path is none of them. */
export function serveDiscovery(exchange: Exchange): boolean {
  const { info, message, response, serving } = exchange;
  const parts = info.path.split('/').filter(Boolean);
  const [root, group, versionName] = parts;
  const { registry } = serving;
  const isRoot = parts.length === 1;
  if (root === 'version' && isRoot) sendJson(response, 200, version);
  else if ((root === 'api' || root === 'apis') && isRoot) {
    if (!sendAggregated(exchange, root === 'api')) {
      sendJson(response, 200, root === 'api' ? coreVersions(message.headers.host) : groupList(registry));
    }
  } else if (root === 'api' && parts.length === 2 && registry.servesVersion('', group ?? '')) {
    sendJson(response, 200, resourceList(registry, '', group ?? ''));
  } else if (root === 'apis' && parts.length === 2 && group !== undefined && groupNames(registry).includes(group)) {
    sendJson(response, 200, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(registry, group) });
  } else if (root === 'apis' && parts.length === 3 && versionsOf(registry, group ?? '').includes(versionName ?? '')) {
    sendJson(response, 200, resourceList(registry, group ?? '', versionName ?? ''));
  } else if (parts.length === 0) sendJson(response, 200, { paths: paths(registry) });
  else return false;
  return true;
}

function coreVersions(host: string | undefined): unknown {
  const serverAddress = host ?? '127.0.0.1';
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

function groupNames(registry: Registry): string[] {
  const groups = new Set([
    ...registry.kinds.map(({ definition }) => definition.group),
    ...Object.keys(reviewResources),
  ]);
  groups.delete('');
  return [...groups];
}

function versionsOf(registry: Registry, group: string): string[] {
  const versions = registry.kinds
    .filter(({ definition }) => definition.group === group)
    .map((kind) => kind.definition.version);
  if (Object.hasOwn(reviewResources, group)) versions.push('v1');
  return [...new Set(versions)];
}

function groupOf(registry: Registry, group: string): object {
  const versions = versionsOf(registry, group).map((name) => ({ groupVersion: `${group}/${name}`, version: name }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function groupList(registry: Registry): unknown {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupNames(registry).map((group) => groupOf(registry, group)),
  };
}

function paths(registry: Registry): string[] {
  const groups = groupNames(registry).flatMap((group) => [
    `/apis/${group}`,
    ...versionsOf(registry, group).map((name) => `/apis/${group}/${name}`),
  ]);
  return ['/api', '/api/v1', '/apis', ...groups, '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'];
}

/** One line of a resource list: a resource or one of its subresources. */
interface Resource {
  name: string;
  subresource?: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group: string;
  version: string;
  verbs: string[];
  shortNames: string[];
  categories: string[];
}

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function resourcesOf(registry: Registry, group: string, versionName: string): Resource[] {
  const served = registry.kinds.filter(
    ({ definition }) => definition.group === group && definition.version === versionName,
  );
  const reviews = versionName === 'v1' && Object.hasOwn(reviewResources, group) ? (reviewResources[group] ?? []) : [];
  return [
    ...served.flatMap(resourcesOfKind),
    ...reviews.map(({ plural, kind }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced: false,
      kind,
      group,
      version: 'v1',
      verbs: ['create'],
      shortNames: [],
      categories: [],
    })),
  ];
}

function resourcesOfKind({ definition }: ServedKind): Resource[] {
  const { plural, singular, kind, namespaced, group, version: versionName, shortNames, categories } = definition;
  const isNamespace = group === '' && plural === 'namespaces';
  const common = { namespaced, group, version: versionName, shortNames: [], categories: [], singularName: '' };
  const verbs = objectVerbs.filter((verb) => !(isNamespace && verb === 'deletecollection'));
  const subresources: Resource[] = [];
  for (const subresource of definition.subresources) {
    const sub = { ...common, name: plural, subresource, kind, verbs: ['get', 'patch', 'update'] };
    if (subresource === 'status') subresources.push(sub);
    if (subresource === 'scale') subresources.push({ ...sub, kind: 'Scale', group: 'autoscaling', version: 'v1' });
    if (subresource !== 'binding') continue;
    subresources.push({ ...sub, kind: 'Binding', verbs: ['create'] });
    const eviction = { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] };
    subresources.push({ ...sub, ...eviction, subresource: 'eviction' });
  }
  if (isNamespace) subresources.push({ ...common, name: plural, subresource: 'finalize', kind, verbs: ['update'] });
  return [{ ...common, name: plural, singularName: singular, kind, verbs, shortNames, categories }, ...subresources];
}

function resourceList(registry: Registry, group: string, versionName: string): unknown {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? versionName : `${group}/${versionName}`,
    resources: resourcesOf(registry, group, versionName).map((resource) => ({
      name: resource.subresource ? `${resource.name}/${resource.subresource}` : resource.name,
      singularName: resource.singularName,
      namespaced: resource.namespaced,
      ...(resource.group === group ? {} : { group: resource.group, version: resource.version }),
      kind: resource.kind,
      verbs: resource.verbs,
      ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
      ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    })),
  };
}

const aggregatedGroup = 'apidiscovery.k8s.io';
const aggregatedKind = 'APIGroupDiscoveryList';

/** All groups and resources in one document (KEP-3352), for clients that ask for it. */
function sendAggregated({ message, response, serving }: Exchange, core: boolean): boolean {
  const { accept } = message.headers;
  const offered = ['v2', 'v2beta1'].find((name) => acceptsDocument(accept, aggregatedGroup, name, aggregatedKind));
  if (!offered) return false;
  const { registry } = serving;
  const body = {
    kind: aggregatedKind,
    apiVersion: `${aggregatedGroup}/${offered}`,
    metadata: {},
    items: (core ? [''] : groupNames(registry)).map((group) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(registry, group).map((name) => ({
        version: name,
        resources: aggregatedResources(resourcesOf(registry, group, name)),
        freshness: 'Current',
      })),
    })),
  };
  const contentType = `application/json;g=${aggregatedGroup};v=${offered};as=${aggregatedKind}`;
  response.setHeader('Vary', 'Accept');
  sendBuffers(response, 200, [Buffer.from(JSON.stringify(body))], contentType);
  return true;
}

function aggregatedResources(resources: Resource[]): unknown[] {
  const responseKind = ({ group, version: versionName, kind }: Resource) => ({ group, version: versionName, kind });
  return resources
    .filter(({ subresource }) => subresource === undefined)
    .map((resource) => {
      const subresources = resources
        .filter(({ name, subresource }) => name === resource.name && subresource !== undefined)
        .map((sub) => ({ subresource: sub.subresource, responseKind: responseKind(sub), verbs: sub.verbs }));
      return {
        resource: resource.name,
        responseKind: responseKind(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
        ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
        ...(subresources.length > 0 ? { subresources } : {}),
      };
    });
}
