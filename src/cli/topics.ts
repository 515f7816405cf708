/** Pages that ship with the program, as `pp help TOPIC` shows them: files of docs/. */
export const TOPICS = [
  { name: "install", file: "install.md", about: "one file, a container, a checkout; engine and image" },
  { name: "policy", file: "policy.md", about: "what a policy says, key by key" },
  { name: "proposers", file: "proposers.md", about: "where patches come from; models, programs" },
  { name: "bundle", file: "bundle.md", about: "what a proof is made of, and what is done with it" },
  { name: "trust", file: "trust.md", about: "keys, trust files, signing and verifying" },
  { name: "gate", file: "gate.md", about: "what a gate wants, and how to prove for it" },
  { name: "safety", file: "safety.md", about: "what the safety check sees, and what it does not" },
  { name: "proposals", file: "proposals.md", about: "changes without a diff: code, places, templates" },
  { name: "store", file: "store.md", about: "versions of a workspace, and their log" },
  { name: "apply", file: "apply.md", about: "how proposals go into a folder, and out of it again" },
  { name: "approval", file: "approval.md", about: "who decides on proposals, and what that is bound to" },
  { name: "exit-codes", file: "exit-codes.md", about: "what each exit code means" },
  { name: "environment", file: "environment.md", about: "variables that are looked at" },
  { name: "formats", file: "formats.md", about: "every file of a bundle, field by field" },
  { name: "speed", file: "speed.md", about: "figures, each beside its peer" },
  { name: "threat-model", file: "threat-model.md", about: "what it defends against, and what not" },
] as const;

export type Topic = typeof TOPICS[number];

/** Reads a page from beside the program's modules. */
export async function topicPage({ file }: Topic): Promise<string> {
  return await Deno.readTextFile(new URL(`../../docs/${file}`, import.meta.url));
}
