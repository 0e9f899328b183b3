import type { Narrator } from './narrator.ts';
import type { ClusterView } from './view.ts';

/** One station of the walk: shows something and checks that it is so. `W` is what it needs of the cluster. */
export interface Step<W extends ClusterView> {
  title: string;
  /** @throws CheckFailed when what it shows is not as it must be. */
  run(demo: { world: W; out: Narrator }): Promise<void>;
}
