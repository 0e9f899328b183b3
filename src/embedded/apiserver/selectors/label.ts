import { labelValue, qualifiedName } from '../kinds/validation/names.ts';
import { badRequest } from '../status.ts';

export type LabelPredicate = (labels: Readonly<Record<string, string>>) => boolean;

interface Requirement {
  key: string;
  operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  values: Set<string>;
}

/**
 * Parses a label selector in either form: equality-based (`a=b,c!=d,e>1`) or set-based (`a in (x,y),!b`).
 * @throws StatusError 400 in the real server's words
 */
export function parseLabelSelector(text: string): LabelPredicate {
  const requirements = new Parser(text).parse();
  return (labels) => requirements.every((requirement) => meets(requirement, labels[requirement.key]));
}

function meets({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.has(value);
    case 'notin':
      return value === undefined || !values.has(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const [bound = ''] = values;
      if (value === undefined || !integer.test(value)) return false;
      return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
  }
}

const integer = /^[+-]?\d+$/;

interface Token {
  kind: 'identifier' | 'symbol' | 'end';
  text: string;
}

const tokenForm = /\s*(?:(==|!=|[()!=<>,])|([^\s()!=<>,]+))/y;
const end: Token = { kind: 'end', text: '' };

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  tokenForm.lastIndex = 0;
  for (let match = tokenForm.exec(text); match; match = tokenForm.exec(text)) {
    const [, symbol, identifier] = match;
    if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol });
    else tokens.push({ kind: 'identifier', text: identifier ?? '' });
  }
  return tokens;
}

const operators: Record<string, Requirement['operator']> = {
  '=': 'in',
  '==': 'in',
  '!=': 'notin',
  '>': 'gt',
  '<': 'lt',
  in: 'in',
  notin: 'notin',
};

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#peek().kind === 'end') return requirements;
    if (!this.#startsRequirement) throw this.#unexpected("!, identifier, or 'end of string'");
    for (;;) {
      requirements.push(this.#requirement());
      if (this.#peek().kind === 'end') return requirements;
      if (!this.#take(',')) throw this.#unexpected("',' or 'end of string'");
      if (!this.#startsRequirement) throw this.#unexpected("identifier after ','");
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? end;
  }

  get #startsRequirement(): boolean {
    return this.#peek().kind === 'identifier' || this.#peek().text === '!';
  }

  #take(symbol: string): boolean {
    const found = this.#peek().kind === 'symbol' && this.#peek().text === symbol;
    if (found) this.#at++;
    return found;
  }

  #requirement(): Requirement {
    const absent = this.#take('!');
    if (this.#peek().kind !== 'identifier') throw this.#bad('identifier');
    const key = this.#peek().text;
    this.#at++;
    checkKey(key);
    if (absent) return { key, operator: 'absent', values: new Set() };
    if (this.#peek().kind === 'end' || this.#peek().text === ',') return { key, operator: 'exists', values: new Set() };
    const sign = this.#peek().text;
    const operator = Object.hasOwn(operators, sign) ? operators[sign] : undefined;
    if (operator === undefined) throw this.#bad('in, notin, =, ==, !=, gt, lt');
    this.#at++;
    const values = sign === 'in' || sign === 'notin' ? this.#valueList() : [this.#value()];
    checkValues(key, operator, values);
    return { key, operator, values: new Set(values) };
  }

  #value(): string {
    if (this.#peek().kind === 'end' || this.#peek().text === ',') return '';
    if (this.#peek().kind !== 'identifier') throw this.#bad('identifier');
    const { text } = this.#peek();
    this.#at++;
    return text;
  }

  #valueList(): string[] {
    if (!this.#take('(')) throw badRequest(`unable to parse requirement: found '${this.#peek().text}' expected: '('`);
    const values: string[] = [];
    for (;;) {
      values.push(this.#peek().kind === 'identifier' ? this.#value() : '');
      if (this.#take(')')) return values;
      if (!this.#take(',')) throw this.#bad("',' or ')'");
    }
  }

  #unexpected(expected: string): Error {
    return badRequest(`found '${this.#peek().text}', expected: ${expected}`);
  }

  #bad(expected: string): Error {
    return badRequest(`unable to parse requirement: found '${this.#peek().text}', expected: ${expected}`);
  }
}

function checkKey(key: string): void {
  const wrong = qualifiedName(key).join('; ');
  if (wrong !== '') throw invalidPart('<nil>', key, wrong.replace(/^a qualified name/, 'a valid label key'));
}

function checkValues(key: string, operator: Requirement['operator'], values: string[]): void {
  values.forEach((value, i) => {
    const compared = operator === 'gt' || operator === 'lt';
    if (compared && !integer.test(value)) {
      throw invalidPart(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer");
    }
    const wrong = labelValue(value).join('; ');
    if (wrong !== '') throw invalidPart(`values[${i}][${key}]`, value, wrong);
  });
}

function invalidPart(field: string, value: string, why: string): Error {
  return badRequest(`unable to parse requirement: ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
}
