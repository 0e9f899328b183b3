import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const script = join(import.meta.dirname, '..', '..', 'image', 'sbom.ts');

describe('the list of what is in an image', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-sbom-'));
    const library = (name: string) => ({
      'bom-ref': `${name}@1.0.0`,
      name,
      version: '1.0.0',
      purl: `pkg:npm/${name}@1.0.0`,
    });
    await write('npm.json', {
      bomFormat: 'CycloneDX',
      serialNumber: 'urn:uuid:random',
      metadata: { timestamp: 'now', component: { 'bom-ref': 'slicewise@0.1.0' } },
      components: ['used', 'shared', 'tool'].map(library),
      dependencies: [
        { ref: 'slicewise@0.1.0', dependsOn: ['used@1.0.0', 'tool@1.0.0'] },
        { ref: 'used@1.0.0', dependsOn: ['shared@1.0.0'] },
        { ref: 'tool@1.0.0', dependsOn: ['shared@1.0.0'] },
      ],
    });
    for (const name of ['used', 'shared', 'unheard-of'])
      await write(`${name}/package.json`, { name, version: '1.0.0' });
    await write(
      'root/var/lib/dpkg/status.d/libstdc++6',
      'Package: libstdc++6\nVersion: 1:14.2.0-19\nArchitecture: amd64\n',
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function write(path: string, content: string | object): Promise<void> {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  }

  async function list(packages: string[]): Promise<string> {
    await write('packages.txt', packages.map((name) => `${join(folder, name)}\n`).join(''));
    const args = [script, join(folder, 'npm.json'), join(folder, 'packages.txt'), join(folder, 'root')];
    return (await run(process.execPath, args)).stdout;
  }

  it('has the packages that are named, Node, and the recorded packages of Debian', async () => {
    const { components } = JSON.parse(await list(['used', 'shared']));
    expect(components.map(({ purl }: { purl: string }) => purl)).toEqual([
      'pkg:npm/used@1.0.0',
      'pkg:npm/shared@1.0.0',
      `pkg:generic/node@${process.versions.node}`,
      'pkg:deb/debian/libstdc%2B%2B6@1%3A14.2.0-19?arch=amd64',
    ]);
  });

  it('says which of them needs which, and nothing of the others', async () => {
    const { dependencies } = JSON.parse(await list(['used', 'shared']));
    expect(dependencies).toEqual([
      { ref: 'slicewise@0.1.0', dependsOn: ['used@1.0.0'] },
      { ref: 'used@1.0.0', dependsOn: ['shared@1.0.0'] },
    ]);
  });

  it('has no random number and no time', async () => {
    expect(await list(['used', 'shared'])).not.toMatch(/random|now/);
  });

  it('is not made when a package is missing from what npm says', async () => {
    await expect(list(['used', 'unheard-of'])).rejects.toThrow("npm's list lacks unheard-of@1.0.0");
  });
});
