/** Fields whose text is a secret, as kubeconfigs, HTTP headers and token answers name them. */
const SECRET_FIELDS = [
  'authorization',
  'proxy-authorization',
  'x-auth-token',
  'cookie',
  'set-cookie',
  'token',
  'bearer-?token',
  'id[-_]?token',
  'refresh[-_]?token',
  'access[-_]?token',
  'password',
  'client[-_]?secret',
  'client-?key-?data',
  'keyData',
].join('|');

const CENSOR = '[redacted]';

/** The text of a field in JSON. */
const field = new RegExp(`("(?:${SECRET_FIELDS})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');
/** The same in JSON that stands as text in JSON, as in an error that quotes an answer: there each quote has a backslash. */
const quotedField = new RegExp(
  `(\\\\"(?:${SECRET_FIELDS})\\\\"\\s*:\\s*\\\\")(?:[^"\\\\]|\\\\\\\\(?:\\\\.|[^"\\\\])|\\\\[^"\\\\])*(?=\\\\")`,
  'gi',
);
/** And deeper in: more backslashes before each quote, always as many. */
const deepField = new RegExp(
  `(?<!\\\\)((\\\\{3,})"(?:${SECRET_FIELDS})\\2"\\s*:\\s*\\2")(?:[^"]|(?<=\\\\)")*?(?=(?<!\\\\)\\2")`,
  'gi',
);
/** `token=...`: parameters of URLs, forms, command lines. */
const parameter = new RegExp(`\\b((?:${SECRET_FIELDS})=)[^\\s"'&,;\\\\]+`, 'gi');
/** `token: ...` as YAML writes it, one field a line: in a text a line ends with a newline's escape, or the text does. */
const yamlField = new RegExp(
  `((?:^|"|\\\\n|\\n)[ -]*(?:${SECRET_FIELDS}): +)[^\\s"\\\\]+(?=\\s*(?:\\\\n|\\n|"|$))`,
  'gi',
);
/** A header in a text, whatever its scheme. */
const header = /\b((?:proxy-)?authorization: *\w+) +[^\s"\\]+/gi;
/** Values of an `Authorization` header. A base64 text is told from a word by its capitals and digits. */
const bearer = /\b(bearer) [\w.~+/-]{6,}=*/gi;
const basic = /\b([Bb]asic) (?=[^"\s]*[A-Z0-9=])[\w+/]{6,}=*/g;
/** A signed JSON web token: what a service account token is. */
const webToken = /\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="|$))/g;
/** The same in base64, as kubeconfigs carry it: `-----BEGIN ` at its start, in the one alignment that it has there. */
const encodedKey = /\bLS0tLS1CRUdJTi[\w+/]*=*/g;
/** `https://user:password@host` */
const userInfo = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@"]+:[^\s/@"]*@/gi;

/**
 * A line of log, or of what a command says, without the secrets in it, wherever they stand: in a field at any depth, or in a text such as
 * an error's. What is JSON stays so.
 */
export function redactSecrets(line: string): string {
  return line
    .replace(field, `$1"${CENSOR}"`)
    .replace(quotedField, `$1${CENSOR}`)
    .replace(deepField, `$1${CENSOR}`)
    .replace(parameter, `$1${CENSOR}`)
    .replace(yamlField, `$1${CENSOR}`)
    .replace(header, `$1 ${CENSOR}`)
    .replace(bearer, `$1 ${CENSOR}`)
    .replace(basic, `$1 ${CENSOR}`)
    .replace(webToken, CENSOR)
    .replace(privateKey, CENSOR)
    .replace(encodedKey, CENSOR)
    .replace(userInfo, `$1${CENSOR}@`);
}
