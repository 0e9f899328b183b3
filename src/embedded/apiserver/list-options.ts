import type { Cause, KindDefinition, RawObject } from './kind.ts';
import { forbidden, notSupported } from './kinds/validation/causes.ts';
import { isTrue } from './request.ts';
import { parseFieldSelector } from './selectors/field.ts';
import { parseLabelSelector } from './selectors/label.ts';
import { badRequest, invalid, StatusError } from './status.ts';

/** `ListOptions` of meta/v1, checked. */
export interface ListOptions {
  matches(object: RawObject): boolean;
  /** Whether any selector is given. */
  selective: boolean;
  /** 0: no limit. */
  limit: number;
  continueToken: string;
  /** As given; `''` when absent. */
  resourceVersion: string;
  match: '' | 'Exact' | 'NotOlderThan';
  timeoutSeconds: number | undefined;
  bookmarks: boolean;
  /** Undefined when the parameter is absent. */
  sendInitialEvents: boolean | undefined;
}

/** @throws StatusError 400 on an unreadable value, 422 on a combination that is not allowed */
export function parseListOptions(query: URLSearchParams, watch: boolean, kind: KindDefinition): ListOptions {
  const limit = parseInteger(query.get('limit')) ?? 0;
  const timeoutSeconds = parseInteger(query.get('timeoutSeconds'));
  const sendInitialEvents = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch') ?? '';
  const causes = checkCombination(query, watch, match, sendInitialEvents !== null && sendInitialEvents !== '');
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', causes);
  const labelSelector = query.get('labelSelector') ?? '';
  const fieldSelector = query.get('fieldSelector') ?? '';
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector, kind);
  const selective = labelSelector !== '' || fieldSelector !== '';
  return {
    matches: selective ? (object) => labels(object.metadata.labels ?? {}) && fields(object) : () => true,
    selective,
    limit: Math.max(0, limit),
    continueToken: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    match: match === 'Exact' || match === 'NotOlderThan' ? match : '',
    timeoutSeconds,
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: sendInitialEvents === null || sendInitialEvents === '' ? undefined : isTrue(sendInitialEvents),
  };
}

/** The rules of meta/v1 ListOptions validation, in the real server's order. */
function checkCombination(query: URLSearchParams, watch: boolean, match: string, sendInitialEvents: boolean): Cause[] {
  const causes: Cause[] = [];
  const matchForbidden = (why: string) => causes.push(forbidden('resourceVersionMatch', why));
  const continued = query.get('continue') ? 'resourceVersionMatch is forbidden when continue is provided' : undefined;
  if (watch) {
    if (sendInitialEvents) {
      if (match !== 'NotOlderThan') {
        matchForbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
        if (match !== '') causes.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']));
      }
    } else if (match !== '') {
      matchForbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    }
    if (continued) matchForbidden(continued);
    return causes;
  }
  if (sendInitialEvents) {
    causes.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (match === '') return causes;
  const revision = query.get('resourceVersion') ?? '';
  if (revision === '') matchForbidden('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (continued) matchForbidden(continued);
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    causes.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']));
  }
  if (match === 'Exact' && revision === '0') {
    matchForbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  return causes;
}

function parseInteger(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/**
 * @param context what the resource version belongs to: the real server answers 400 to a list and 500 to a watch
 * @throws StatusError
 */
export function parseRevision(text: string, context: 'list' | 'watch'): number {
  if (text === '') return 0;
  if (/^\d{1,20}$/.test(text)) return Number(text);
  const why = `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw context === 'list' ? badRequest(`invalid resource version: ${why}`) : new StatusError(500, '', why);
}
