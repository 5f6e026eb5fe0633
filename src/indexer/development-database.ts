import type { Clock } from "../lib/clock.ts";
import { type EmbeddedServer, startEmbedded } from "../postgres/embedded.ts";

/** The database of `spindex dev`: a PostgreSQL server of our own, with its data in the project's folder. */
export function startDevelopmentDatabase(dataDir: string, clock: Clock): Promise<EmbeddedServer> {
  return startEmbedded({ dataDir, clock });
}
