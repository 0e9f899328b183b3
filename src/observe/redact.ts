/** Fields whose text is a secret, as kubeconfigs, HTTP headers and token answers name them. */
const SECRET_FIELDS = [
  'authorization',
  'proxy-authorization',
  'token',
  'bearerToken',
  'id-token',
  'refresh-token',
  'access_token',
  'password',
  'client-key-data',
  'clientKeyData',
  'keyData',
];

const CENSOR = '[redacted]';

const field = new RegExp(`("(?:${SECRET_FIELDS.join('|')})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');
/** Values of an `Authorization` header. A base64 text is told from a word by its capitals and digits. */
const bearer = /\b(bearer) [\w.~+/-]{6,}=*/gi;
const basic = /\b([Bb]asic) (?=[^"\s]*[A-Z0-9=])[\w+/]{6,}=*/g;
/** A signed JSON web token: what a service account token is. */
const webToken = /\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="|$))/g;
/** `https://user:password@host` */
const userInfo = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@"]+:[^\s/@"]*@/gi;

/**
 * A line of log without the secrets in it, wherever they stand: in a field at any depth, or in the text of an error. `line` is JSON, and
 * stays so.
 */
export function redactSecrets(line: string): string {
  return line
    .replace(field, `$1"${CENSOR}"`)
    .replace(bearer, `$1 ${CENSOR}`)
    .replace(basic, `$1 ${CENSOR}`)
    .replace(webToken, CENSOR)
    .replace(privateKey, CENSOR)
    .replace(userInfo, `$1${CENSOR}@`);
}
