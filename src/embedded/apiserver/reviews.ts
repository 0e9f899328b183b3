import { decodeBody, mediaType, readBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { sendJson } from './respond.ts';
import { methodNotAllowed } from './status.ts';

/** Resources that are only questions: they are posted, answered and not stored. */
export const reviewResources: Record<string, { plural: string; kind: string }[]> = {
  'authentication.k8s.io': [{ plural: 'selfsubjectreviews', kind: 'SelfSubjectReview' }],
  'authorization.k8s.io': [
    { plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview' },
    { plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview' },
  ],
};

/** Answers what a user may do (everything: there is no authorization here) and who it is; false for other requests. */
export async function serveReview({ info, message, response, user, serving }: Exchange): Promise<boolean> {
  const { resource } = info;
  if (resource?.version !== 'v1' || !Object.hasOwn(reviewResources, resource.group)) return false;
  const review = reviewResources[resource.group]?.find(({ plural }) => plural === resource.plural);
  if (!review) return false;
  if (info.verb !== 'create') throw methodNotAllowed();
  const { spec = {} } = decodeBody(await readBody(message), mediaType(message), review.kind);
  const { kind } = review;
  const metadata = kind === 'SelfSubjectReview' ? { creationTimestamp: serving.registry.timestamp() } : {};
  const common = { kind, apiVersion: `${resource.group}/v1`, metadata };
  const groups = ['system:masters', 'system:authenticated'];
  const status = {
    SelfSubjectAccessReview: { allowed: true },
    SelfSubjectReview: { userInfo: { username: user, groups } },
    SelfSubjectRulesReview: {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    },
  }[kind];
  sendJson(response, 201, { ...common, ...(kind === 'SelfSubjectReview' ? {} : { spec }), status });
  return true;
}
