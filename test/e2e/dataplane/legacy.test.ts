import { describeBackend } from './backends.ts';
import { describePackets } from './suites/all.ts';

await describeBackend('legacy', describePackets);
