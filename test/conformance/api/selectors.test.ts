import { expect, it } from 'vitest';
import { describeWithServers } from './harness.ts';

describeWithServers('selectors', (server) => {
  const labels: Record<string, Record<string, string>> = {
    bare: {},
    one: { n: '1', tier: 'web' },
    two: { n: '2', tier: 'web', 'example.com/x': 'y' },
    ten: { n: '10', tier: 'db' },
    empty: { n: '' },
  };
  const filled = async () => {
    const path = `/api/v1/namespaces/${await server.namespace()}/configmaps`;
    for (const [name, own] of Object.entries(labels)) await server.post(path, { metadata: { name, labels: own } });
    return path;
  };

  it('label selectors choose by equality, sets, presence and size', async () => {
    const path = await filled();
    const cases: [string, string[]][] = [
      ['tier=web', ['one', 'two']],
      ['tier==web', ['one', 'two']],
      ['tier!=web', ['bare', 'empty', 'ten']],
      ['tier in (web,db)', ['one', 'ten', 'two']],
      ['tier notin (web)', ['bare', 'empty', 'ten']],
      ['tier', ['one', 'ten', 'two']],
      ['!tier', ['bare', 'empty']],
      ['n>1', ['ten', 'two']],
      ['n<10', ['one', 'two']],
      ['n=', ['empty']],
      ['n in ()', ['empty']],
      ['example.com/x=y', ['two']],
      ['tier=web,n=2', ['two']],
      [' tier = web , n in ( 1 , 3 ) ', ['one']],
      ['in', []],
    ];
    for (const [labelSelector, expected] of cases) {
      const { body } = await server.get(path, { labelSelector });
      expect([labelSelector, body.items.map(({ metadata }) => metadata.name)]).toEqual([labelSelector, expected]);
    }
  });

  it('field selectors choose by name, with escapes', async () => {
    const path = await filled();
    const cases: [string, string[]][] = [
      ['metadata.name=one', ['one']],
      ['metadata.name==one', ['one']],
      ['metadata.name!=one', ['bare', 'empty', 'ten', 'two']],
      ['metadata.name!=one,metadata.name!=two', ['bare', 'empty', 'ten']],
      ['metadata.name=o\\,ne', []],
    ];
    for (const [fieldSelector, expected] of cases) {
      const { body } = await server.get(path, { fieldSelector });
      expect([fieldSelector, body.items.map(({ metadata }) => metadata.name)]).toEqual([fieldSelector, expected]);
    }
  });

  it('a field selector on the namespace narrows a list across namespaces', async () => {
    const path = await filled();
    const namespace = path.split('/')[4] ?? '';
    const { body } = await server.get('/api/v1/configmaps', { fieldSelector: `metadata.namespace=${namespace}` });
    expect(body.items).toHaveLength(Object.keys(labels).length);
  });

  const valueHelp =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  it.each([
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a,,b', "found ',', expected: identifier after ','"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a!', "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"],
    [
      'n>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    ['a=-x', `unable to parse requirement: values[0][a]: Invalid value: "-x": ${valueHelp}`],
    ['/a=1', 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'],
  ])('refuses the label selector %j', async (labelSelector, message) => {
    const { status, body } = await server.get('/api/v1/configmaps', { labelSelector });
    expect([status, body.reason, body.message]).toEqual([400, 'BadRequest', message]);
  });

  it.each([
    [
      '/api/v1/configmaps',
      'foo=bar',
      '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    ['/api/v1/pods', 'foo=bar', 'field label not supported: foo'],
    ['/api/v1/configmaps', 'foo', "invalid selector: 'foo'; can't understand 'foo'"],
    ['/api/v1/configmaps', 'metadata.name=c\\1', 'invalid field selector: invalid escape sequence: \\1'],
    ['/api/v1/configmaps', 'a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ])('at %s refuses the field selector %j', async (path, fieldSelector, message) => {
    const { status, body } = await server.get(path, { fieldSelector });
    expect([status, body.reason, body.message]).toEqual([400, 'BadRequest', message]);
  });

  it('a watch refuses a bad selector just as a list does', async () => {
    const { status, body } = await server.get('/api/v1/configmaps', { watch: true, labelSelector: 'a in b' });
    expect([status, body.reason]).toEqual([400, 'BadRequest']);
  });
});
