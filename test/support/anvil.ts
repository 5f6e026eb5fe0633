import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  type Abi,
  type Chain,
  createTestClient,
  type Hex,
  type HttpTransport,
  http,
  type PublicActions,
  publicActions,
  type TestClient,
  type WalletActions,
  walletActions,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";

/** The accounts that anvil funds at its start. */
const MNEMONIC = "test test test test test test test test test test test junk";
export const ACCOUNTS = [0, 1, 2, 3].map((addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));

export interface Anvil extends AsyncDisposable {
  readonly url: string;
}

/** A real EVM node. Blocks are mined when a transaction comes. */
export async function startAnvil(...args: readonly string[]): Promise<Anvil> {
  const child = spawn(binary(), ["--port", "0", ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  let text = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      text += data.toString();
      const found = /Listening on (\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(`http://${found}`);
    });
    child.once("exit", () => reject(new Error(`anvil ended at its start:\n${text}`)));
  });
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Its platform's binary itself: the wrapper script would leave it running when it is killed. */
function binary(): string {
  const cpu = process.arch === "x64" ? "amd64" : process.arch;
  const require = createRequire(import.meta.url);
  const anvil = dirname(require.resolve("@foundry-rs/anvil/package.json"));
  return join(anvil, "..", `anvil-${process.platform}-${cpu}`, "bin", "anvil");
}

/** Reads, signs as any of the funded accounts, and steers the node. */
export type Client = TestClient<"anvil", HttpTransport, Chain> &
  PublicActions<HttpTransport, Chain> &
  WalletActions<Chain>;

export function clientOf(url: string, id: number = foundry.id): Client {
  return createTestClient({ mode: "anvil", chain: { ...foundry, id }, transport: http(url), pollingInterval: 10 })
    .extend(publicActions)
    .extend(walletActions);
}

export interface Artifact {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

/** A published build artifact: bytecode with or without its prefix. */
export function artifactOf(path: string): Artifact {
  const json = createRequire(import.meta.url)(path) as { abi: Abi; bytecode: string };
  const bytecode = json.bytecode.startsWith("0x") ? json.bytecode : `0x${json.bytecode}`;
  return { abi: json.abi, bytecode: bytecode as Hex };
}
