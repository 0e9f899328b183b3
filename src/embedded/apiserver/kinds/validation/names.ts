/** Syntax checks of names, each giving what is wrong in the words of apimachinery's `util/validation`; [] when all is well. */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const labelForm = new RegExp(`^${label}$`);
const subdomainForm = new RegExp(`^${subdomain}$`);
const qualifiedForm = new RegExp(`^${qualified}$`);
const labelValueForm = new RegExp(`^(${qualified})?$`);
const configKeyForm = /^[-._a-zA-Z0-9]+$/;
const envVarForm = /^[ -<>-~]+$/;
const portNameForm = /^[-a-z0-9]+$/;

const labelHelp = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const subdomainHelp = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
const qualifiedHelp = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}')`;
const labelValueHelp = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${qualified})?')`;

const longestLabel = 63;
const longestSubdomain = 253;

export function dns1123Label(value: string): string[] {
  const help = subdomainForm.test(value) ? 'must not contain dots' : labelHelp;
  return [...longerThan(value, longestLabel, 'characters'), ...(labelForm.test(value) ? [] : [help])];
}

export function dns1123Subdomain(value: string): string[] {
  return [...longerThan(value, longestSubdomain, 'characters'), ...(subdomainForm.test(value) ? [] : [subdomainHelp])];
}

/** `name` or `prefix/name`: keys of labels and annotations, finalizers, appProtocol. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedHelp} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  const [prefix] = parts.length === 2 ? parts : [];
  return [
    ...(prefix === undefined ? [] : qualifiedPrefix(prefix)),
    ...(name === '' ? ['name part must be non-empty'] : longerThan(name, longestLabel, 'bytes', 'name part ')),
    ...(qualifiedForm.test(name) ? [] : [`name part ${qualifiedHelp}`]),
  ];
}

function qualifiedPrefix(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return dns1123Subdomain(prefix).map((detail) => `prefix part ${detail}`);
}

export function labelValue(value: string): string[] {
  return [...longerThan(value, longestLabel, 'bytes'), ...(labelValueForm.test(value) ? [] : [labelValueHelp])];
}

/** The name of a container port, as a Service or probe may refer to it (RFC 6335). */
export function portName(value: string): string[] {
  return [
    ...longerThan(value, 15, 'characters'),
    ...(portNameForm.test(value) ? [] : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ...(/[a-z]/.test(value) ? [] : ['must contain at least one letter (a-z)']),
    ...(value.includes('--') ? ['must not contain consecutive hyphens'] : []),
    ...(/^-|-$/.test(value) ? ['must not begin or end with a hyphen'] : []),
  ];
}

export function portNumber(value: number): string[] {
  return value >= 1 && value <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** A key of a ConfigMap or Secret. */
export function configMapKey(value: string): string[] {
  const help =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
  return [
    ...longerThan(value, longestSubdomain, 'characters'),
    ...(configKeyForm.test(value) ? [] : [help]),
    ...(value === '.' ? ["must not be '.'"] : []),
    ...(value.startsWith('..') ? [value === '..' ? "must not be '..'" : "must not start with '..'"] : []),
  ];
}

export function envVarName(value: string): string[] {
  const help = "a valid environment variable name must consist only of printable ASCII characters other than '='";
  return envVarForm.test(value) ? [] : [help];
}

/** A name that becomes part of a URL path (RBAC, Leases of some kinds). */
export function pathSegment(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((text) => value.includes(text)).map((text) => `may not contain '${text}'`);
}

function longerThan(value: string, most: number, unit: 'characters' | 'bytes', subject = ''): string[] {
  return value.length > most ? [`${subject}must be no more than ${most} ${unit}`] : [];
}
