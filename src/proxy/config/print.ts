import { Document, parse, Scalar, visit } from 'yaml';
import { isRecord, type JsonRecord } from '../../kube/values.ts';
import { CONFIG_API_VERSION, CONFIG_GROUP, CONFIG_KIND, type KubeProxyConfiguration } from './types.ts';
import { kubeProxyConfiguration } from './v1alpha1.ts';

/** The versioned object as kube-proxy prints it: durations as Go strings, fields in its order. */
export function configDocument(config: KubeProxyConfiguration): JsonRecord {
  const fields = kubeProxyConfiguration.encode(config);
  return { kind: CONFIG_KIND, apiVersion: CONFIG_API_VERSION, ...(isRecord(fields) ? fields : {}) };
}

/** What `--write-config-to` writes, byte for byte what kube-proxy writes: sorted keys, and its choice of quotes. */
export function configYaml(config: KubeProxyConfiguration): string {
  const document = new Document(configDocument(config), { version: '1.1', sortMapEntries: true });
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && looksLikeData(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ singleQuote: true, indentSeq: false, directives: false });
}

/** The value of `/configz`. */
export function configz(config: KubeProxyConfiguration): JsonRecord {
  return { [CONFIG_GROUP]: configDocument(config) };
}

/** Text that would be read back as null, a number, a boolean or a date. */
function looksLikeData(text: string): boolean {
  return text === '' || (/^[\w.+~-]+$/.test(text) && typeof parse(text, { version: '1.1' }) !== 'string');
}
