import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { Failure } from "../vocabulary/failure.ts";
import type { PublicKey } from "./key.ts";
import { opensshLine } from "./openssh.ts";
import type { Role } from "./role.ts";
import { parseTrust, TRUST_FORMAT } from "./trust_file.ts";

interface AddedKey {
  readonly name: string;
  /** Added to those the principal has. */
  readonly roles: readonly Role[];
  readonly publicKey: PublicKey;
  readonly validFrom: Date | null;
  readonly validUntil: Date | null;
}

/** A trust file that trusts nobody yet, with what it takes in its comments. */
export const EMPTY_TRUST =
  `# Which keys veripatch believes, and for what. Keep it where only you can write it: in the
# checkout that verifies, never in the bundle that is verified.
#
#   pp trust add NAME KEY --role prover     a key that may sign proofs
#   pp trust revoke KEY --reason "lost"     it counts for nothing from then on, at any claimed time
#   pp trust check                          who may say what, now
#
# roles: prover (signs proofs), replayer (signs replays), approver (signs approvals)
format: ${TRUST_FORMAT}
principals: []
# How many different principals have to have signed.
thresholds:
  prover: 1
  replayer: 1
  approver: 1
`;

/**
 * Adds a key to a principal of a sound trust file, and the principal where there is none of that name. Comments stay.
 * @param text YAML, or JSON when `fileName` ends in `.json`
 * @throws Failure `no_role` (usage) for a new principal without a role
 */
export function addKey(text: string, fileName: string, added: AddedKey): string {
  const document = editable(text);
  const principals = sequence(document, ["principals"]);
  const entry = document.createNode({
    public_key: opensshLine(added.publicKey),
    ...(added.validFrom === null ? {} : { valid_from: showTime(added.validFrom) }),
    ...(added.validUntil === null ? {} : { valid_until: showTime(added.validUntil) }),
  });
  const at = principals.items.findIndex((item) => isMap(item) && item.get("name") === added.name);
  if (at === -1) {
    if (added.roles.length === 0) {
      throw new Failure(
        "usage",
        "no_role",
        `there is no principal of this name yet, and no role for a new one`,
        {
          hint: "say what the key may do: --role prover, --role replayer or --role approver",
        },
      );
    }
    const roles = document.createNode(added.roles, { flow: true });
    const principal = document.createNode({ name: added.name }) as YAMLMap;
    principal.set("roles", roles);
    principal.set("keys", document.createNode([]));
    (principal.get("keys") as YAMLSeq).add(entry);
    // An empty list is written in flow style; what is added to it would be, too.
    if (principals.items.length === 0) principals.flow = fileName.endsWith(".json");
    principals.add(principal);
  } else {
    const roles = sequence(document, ["principals", at, "roles"]);
    for (const role of added.roles) if (!roles.toJSON().includes(role)) roles.add(role);
    sequence(document, ["principals", at, "keys"]).add(entry);
  }
  return render(document, fileName);
}

/**
 * Records that a key is revoked. Comments stay.
 * @param id the key's id
 * @throws Failure `key_not_listed`, `already_revoked` (usage)
 */
export function revokeKey(
  text: string,
  fileName: string,
  id: string,
  at: Date,
  reason: string | null,
): string {
  const parsed = parseTrust(text, fileName);
  if (!parsed.ok) throw new Failure("bug", "trust_malformed", "only a sound trust file is edited");
  const document = editable(text);
  for (const [i, principal] of parsed.trust.principals.entries()) {
    const j = principal.keys.findIndex((key) => key.publicKey.id === id);
    if (j === -1) continue;
    const earlier = principal.keys[j]!.revokedAt;
    if (earlier !== null) {
      throw new Failure("usage", "already_revoked", `this key was revoked on ${showTime(earlier)} already`);
    }
    const path = ["principals", i, "keys", j];
    if (!isMap(document.getIn(path))) throw notEditable(path);
    document.setIn([...path, "revoked_at"], showTime(at));
    if (reason !== null) document.setIn([...path, "reason"], reason);
    return render(document, fileName);
  }
  throw new Failure("usage", "key_not_listed", "there is no such key in the trust file", {
    hint: "`pp trust check` lists the keys",
  });
}

/** To the second, in UTC. */
export function showTime(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** Only of text that parseTrust takes: it is bounded then, and has no errors. */
function editable(text: string): Document {
  return parseDocument(text.replace(/^\ufeff/, ""), { resolveKnownTags: false, version: "1.2" });
}

function sequence(document: Document, path: readonly (string | number)[]): YAMLSeq {
  const node = document.getIn(path);
  if (isSeq(node)) return node;
  throw notEditable(path);
}

function notEditable(path: readonly (string | number)[]): Failure {
  const message = `${path.join(".")} is not written out in the trust file but refers to another place`;
  return new Failure("usage", "trust_not_editable", message, {
    hint: "write it without aliases, or edit the file by hand",
  });
}

function render(document: Document, fileName: string): string {
  const text = /\.json$/i.test(fileName)
    ? `${JSON.stringify(document.toJSON(), null, 2)}\n`
    : document.toString({ lineWidth: 0, flowCollectionPadding: false });
  const parsed = parseTrust(text, fileName);
  if (parsed.ok) return text;
  const [problem] = parsed.problems;
  throw new Failure(
    "usage",
    "trust_not_editable",
    `the change would break the file: ${problem?.message ?? ""}`,
    {
      hint: "edit the file by hand",
    },
  );
}
