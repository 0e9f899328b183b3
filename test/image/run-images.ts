/**
 * `run-images.ts FOLDER SITUATION`, inside a network namespace of its own: runs both images as the manifests say, on a node whose
 * kernel is as SITUATION names it, and ends with 0 when all is as it should be. FOLDER has images.json and room for scratch files.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Images, ImageWalk } from './image-walk.ts';
import { Processes } from './processes.ts';
import { SITUATIONS } from './situations.ts';
import { startWorld } from './world.ts';

const [given = '', name = ''] = process.argv.slice(2);
const situation = SITUATIONS[name];
if (!situation) throw new Error(`"${name}": no such situation`);
const images: Images = JSON.parse(readFileSync(join(given, 'images.json'), 'utf8'));
const folder = mkdtempSync(join(given, 'run-'));
const processes = new Processes();
const world = await startWorld(folder);
try {
  await new ImageWalk({ images, world, situation, folder, processes }).run();
} finally {
  await processes.stop();
  await world.stop();
}
