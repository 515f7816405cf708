import type { Proposer } from "../../propose/proposer.ts";
import type { Environment } from "../../vocabulary/environment.ts";

/** The proposer the flags and the environment ask for; files and programs it needs are there. */
export async function wireProposer(
  provider: string | undefined,
  patches: readonly string[],
  env: Environment,
): Promise<Proposer> {
  const { providerName } = await import("../../propose/select.ts");
  switch (providerName(provider, patches.length > 0, env)) {
    case "stub":
      return (await import("../../propose/stub.ts")).stubProposer();
    case "patch": {
      const { patchFileProposer, requirePatchFiles } = await import("../../propose/patch_file.ts");
      await requirePatchFiles(patches);
      return patchFileProposer(patches);
    }
    case "command": {
      const { commandProposer, commandSettings, requireProgram } = await import("../../propose/command.ts");
      const { argv, options } = commandSettings(env);
      await requireProgram({ argv, ...options });
      return commandProposer(argv, options);
    }
    case "openai": {
      const { chatProposer, openaiSettings } = await import("../../propose/openai.ts");
      return chatProposer(openaiSettings(env));
    }
    case "local": {
      const { chatProposer, localSettings } = await import("../../propose/openai.ts");
      return chatProposer(localSettings(env));
    }
  }
}
