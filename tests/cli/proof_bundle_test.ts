import assert from "node:assert/strict";
import { checkDocument } from "../../src/approve/check.ts";
import type { Evidence } from "../../src/approve/evidence.ts";
import { keepBundle, proofsOf, requireProof } from "../../src/cli/proof_bundle.ts";
import type { SessionAttestation } from "../../src/cli/session_attestation.ts";
import { bytesOf } from "../../src/patch/bytes.ts";
import type { KeptBundle } from "../../src/proposal/proof.ts";
import type { FolderStore } from "../../src/store/folder/open.ts";
import { addProposal, propose } from "../../src/store/proposal/change.ts";
import { requireRevision } from "../../src/store/proposal/find.ts";
import { sha256 } from "../../src/vocabulary/digest.ts";
import { Failure } from "../../src/vocabulary/failure.ts";
import { ANN, BOB, checkOf, CHECKS, termsOf, trusted } from "../approve/fixture.ts";
import { record, redact, unproved } from "../bundle/fixture.ts";
import { authorOf } from "../contract/store_contract.ts";
import { withStoreFolder } from "../store/fixture.ts";
import { withdraw } from "../../src/store/proposal/transition.ts";
import { pp } from "./process.ts";
import { evidenceFor, newRevision } from "../store/proposals.ts";

const UNSIGNED: SessionAttestation = { enabled: false, mode: "none", keys: [], nonce: null, keyFiles: [] };
const SIGNED: SessionAttestation = { ...UNSIGNED, enabled: true, keys: [ANN] };
const TERMS = termsOf();

interface Given {
  readonly store: FolderStore;
  readonly kept: KeptBundle;
  /** The code and kind of the failure; "holds" without one. */
  holds(terms?: Parameters<typeof requireProof>[2]): Promise<string>;
}

/** A proposal in a store that the session of the bundle proves, or with `over` one that its evidence says is proved. */
async function given(
  use: (given: Given) => Promise<void>,
  { over = {}, kept: other = {}, signed = UNSIGNED, session = record() }: {
    readonly over?: Partial<Evidence>;
    /** What the check says of the bundle. */
    readonly kept?: Readonly<Record<string, unknown>>;
    readonly signed?: SessionAttestation;
    readonly session?: ReturnType<typeof record>;
  } = {},
): Promise<void> {
  await withStoreFolder(async (store) => {
    const { manifest, final } = record();
    await Deno.mkdir(proofsOf(store), { recursive: true });
    const kept = await keepBundle(proofsOf(store), session, redact, signed);
    const patch = bytesOf(final!.patch);
    const writer = store.blobs.writer();
    writer.put(patch, sha256(patch));
    writer.flush();
    const base = await newRevision(store);
    const revision = {
      ...base,
      ...{ patch: sha256(patch), patchBytes: patch.length },
      ...{ baseManifest: manifest.digest, resultManifest: final!.resultTree },
    };
    const details = { bundle: kept.place, bundle_sha256: kept.digest, ...other };
    const proof = { kind: "proof", outcome: "passed", summary: "", findings: [], details } as const;
    const checks = [
      ...CHECKS.filter(({ kind }) => kind !== "proof"),
      { ...checkOf("proof"), document: checkDocument(proof) },
    ];
    store.records.write((rows) => {
      const by = authorOf(store, "maker");
      const { proposal, revision: row } = addProposal(rows, by, { artifact: "a", title: "t", revision });
      const kinds = CHECKS.map(({ kind }) => checks.find((check) => check.kind === kind)!);
      const evidence = evidenceFor(store.records.storeId, proposal, row, TERMS, {
        checks: kinds.map(({ kind, outcome, document }) => ({
          kind,
          outcome,
          document_sha256: sha256(document),
        })),
        proof: { session: session.session, statement_sha256: kept.statement, outcome: "proved" },
        ...over,
      });
      assert.ok(propose(rows, by, { proposal: 1, revision: 1 }, { evidence, checks, signature: null }).ok);
    });
    await use({
      ...{ store, kept },
      holds: async (terms = TERMS) => {
        const found = store.records.read((rows) => requireRevision(rows, { proposal: 1, revision: null }));
        try {
          await requireProof(store, found, terms);
          return "holds";
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          return `${error.code} ${error.kind}`;
        }
      },
    });
  });
}

Deno.test("requireProof: a bundle that is as it was kept holds, signed or not, also in a store that was moved", async () => {
  for (const signed of [UNSIGNED, SIGNED]) {
    await given(async ({ holds }) => assert.equal(await holds(), "holds"), { signed });
  }
  await given(async ({ holds }) => assert.equal(await holds(), "holds"), {
    kept: { bundle: "/elsewhere/bundle" },
  });
  await given(async ({ holds }) => assert.equal(await holds(), "holds"), { over: { proof: null } });
});

Deno.test("pp artifact fsck: a proof whose bundle is gone or changed is named, and the store is sound", async () => {
  const fsck = async (store: FolderStore) => {
    const call = (...more: string[]) =>
      pp(["artifact", "fsck", ...more], { cwd: "/", env: { PP_STORE: store.folder } });
    const { code, stdout } = await call();
    const { proofs, sound } = JSON.parse((await call("--json")).stdout);
    assert.deepEqual([code, sound], [0, true], stdout);
    return { stdout, proofs: proofs.map(({ name, code }: Record<string, string>) => `${name} ${code}`) };
  };
  await given(async ({ store, kept }) => {
    assert.deepEqual((await fsck(store)).proofs, []);
    await Deno.writeTextFile(`${kept.place}/final_summary.md`, "other");
    const changed = await fsck(store);
    assert.deepEqual(changed.proofs, ["P1.1 proof_corrupt"]);
    assert.match(changed.stdout, /^proof {4}the bundle of the proof of P1\.1 is not as it was kept: /m);
    await Deno.remove(kept.place, { recursive: true });
    const gone = await fsck(store);
    assert.deepEqual(gone.proofs, ["P1.1 proof_missing"]);
    assert.match(
      gone.stdout,
      /^proof {4}the bundle of the proof of P1\.1 is not there any more: \/.*\nnext /m,
    );
    assert.match(gone.stdout, /^sound: /m);
    store.records.write((rows) => {
      const { evidence } = rows.revision(1, 1)!;
      assert.ok(withdraw(rows, authorOf(store), { proposal: 1, revision: 1, evidence }, "over").ok);
    });
    assert.deepEqual((await fsck(store)).proofs, [], "nobody asks for it any more");
  });
});

Deno.test("requireProof: whatever is missing, more or other in the bundle is told", async () => {
  const summary = "final_summary.md";
  const edits: readonly (readonly [string, (bundle: string) => void, string])[] = [
    ["gone", (at) => Deno.removeSync(at, { recursive: true }), "proof_missing unavailable"],
    ["a file gone", (at) => Deno.removeSync(`${at}/${summary}`), "proof_corrupt malformed"],
    [
      "a byte more",
      (at) => Deno.writeTextFileSync(`${at}/${summary}`, "\n", { append: true }),
      "proof_corrupt malformed",
    ],
    ["a file more", (at) => Deno.writeTextFileSync(`${at}/more`, ""), "proof_corrupt malformed"],
    ["a link", (at) => {
      Deno.renameSync(`${at}/${summary}`, `${at}.away`);
      Deno.symlinkSync(`${at}.away`, `${at}/${summary}`);
    }, "proof_corrupt malformed"],
    ["a file in its place", (at) => {
      Deno.removeSync(at, { recursive: true });
      Deno.writeTextFileSync(at, "");
    }, "proof_missing unavailable"],
  ];
  for (const [what, edit, code] of edits) {
    await given(async ({ kept, holds }) => {
      edit(kept.place);
      assert.equal(await holds(), code, what);
    });
  }
});

Deno.test("requireProof: a whole bundle that does not prove this change is none", async () => {
  const proof = { session: record().session, statement_sha256: sha256("other"), outcome: "proved" };
  const wrong: readonly (readonly [string, Parameters<typeof given>[1]])[] = [
    ["another statement", { over: { proof } }],
    ["another session", { over: { proof: { ...proof, session: "20261120T120000Z-00000000" } } }],
    ["nothing was proved", { session: unproved() }],
    ["another patch", { session: record({ final: { ...record().final!, resultTree: sha256("x") } }) }],
  ];
  for (const [what, options] of wrong) {
    await given(async ({ holds }) => assert.equal(await holds(), "proof_differs malformed", what), options);
  }
  const nowhere = { kept: { bundle: 7 } };
  await given(async ({ holds }) => assert.equal(await holds(), "proof_corrupt malformed"), nowhere);
  const other = { kept: { bundle_sha256: sha256("other") } };
  await given(async ({ holds }) => assert.equal(await holds(), "proof_corrupt malformed"), other);
});

Deno.test("requireProof: a proof whose only key was revoked since counts for nothing; an unknown key is no key", async () => {
  await given(async ({ holds }) => {
    const revoked = (state: "revoked" | "expired", keys = trusted().keys) => ({
      proposers: { keys, owners: new Map(), refused: [{ principal: "ann", key: ANN.publicKey, state }] },
    });
    assert.equal(await holds(revoked("revoked", [])), "proof_key_revoked denied");
    assert.equal(await holds(revoked("revoked", [BOB.publicKey])), "proof_key_revoked denied");
    assert.equal(await holds(revoked("revoked", [ANN.publicKey])), "holds");
    assert.equal(await holds(revoked("expired", [])), "holds", "it was valid when it signed");
    assert.equal(await holds({ proposers: { keys: [], owners: new Map(), refused: [] } }), "holds");
  }, { signed: SIGNED });
});
