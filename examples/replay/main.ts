// Serves a block file until Ctrl-C: node examples/replay/main.ts examples/data/<file>.ndjson.gz [port]
import { createReplayServer } from "./replay-server.ts";

const [file, port = "8545"] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node examples/replay/main.ts <block file> [port]");
  process.exit(2);
}
const server = await createReplayServer({ file, chainId: 1, port: Number(port) });
console.log(`${server.url} replays blocks ${server.first} to ${server.last}`);
process.once("SIGINT", () => void server.close());
process.once("SIGTERM", () => void server.close());
