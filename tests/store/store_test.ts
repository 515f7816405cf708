import { openFolderStore } from "../../src/store/folder/open.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { decisionContract } from "../contract/decision_contract.ts";
import { operationContract } from "../contract/operation_contract.ts";
import { proposalContract } from "../contract/proposal_contract.ts";
import { storeContract, type StoreUnderTest } from "../contract/store_contract.ts";

const now = new Date("2026-01-02T03:04:05Z");

async function sqlite(): Promise<StoreUnderTest> {
  const directory = await Deno.makeTempDir({ prefix: "veripatch-test-" });
  const named = `${directory}/store`;
  const store = openFolderStore({ named, env: {}, create: true, actor: "tester", now });
  return { store, cleanUp: () => Deno.remove(directory, { recursive: true }) };
}

function memory(): Promise<StoreUnderTest> {
  const store = memoryStore({ actor: "tester", now });
  return Promise.resolve({ store, cleanUp: () => Promise.resolve() });
}

for (const contract of [storeContract, proposalContract, decisionContract, operationContract]) {
  contract("sqlite", sqlite);
  contract("memory", memory);
}
