import { Failure } from "../vocabulary/failure.ts";

/** What stands on this machine. */
export interface BackendFacts {
  readonly engineReachable: boolean;
  /** The policy's image, in that engine. */
  readonly imageThere: boolean;
  /** What the policy calls it. */
  readonly image: string;
  readonly bubblewrapWorks: boolean;
  /** The workspace is a git checkout without uncommitted changes. */
  readonly gitClean: boolean;
}

export interface BackendChoice {
  readonly backend: "container" | "copy" | "git_worktree";
  /** One clause for people and environment.json. */
  readonly why: string;
}

const NO_ENGINE = "no container engine answers: start Docker or Podman, or set DOCKER_HOST";
const NO_IMAGE = "the image is not there: build or load it, or allow a pull with --pull";
const NO_BUBBLEWRAP = "bubblewrap is missing or cannot make namespaces: install the package bubblewrap";

/**
 * Which backend to use. What is asked for by name is taken as asked: opening it says what it lacks. `auto` takes the
 * container when an engine answers and the image is there, else a host backend (git_worktree for a clean checkout).
 * @returns the choice, or the Failure `unavailable` `no_backend` that lists what is missing and how to get it
 */
export function selectBackend(
  asked: "auto" | "container" | "copy" | "git_worktree",
  facts: BackendFacts,
): BackendChoice | Failure {
  if (asked !== "auto") return { backend: asked, why: "asked for by name" };
  if (facts.engineReachable && facts.imageThere) {
    return { backend: "container", why: "an engine answers and has the image" };
  }
  const lacking = facts.engineReachable ? NO_IMAGE : NO_ENGINE;
  if (facts.bubblewrapWorks) {
    const instead = lacking.slice(0, lacking.indexOf(":"));
    return facts.gitClean
      ? { backend: "git_worktree", why: `${instead}; bubblewrap works and the checkout is clean` }
      : { backend: "copy", why: `${instead}; bubblewrap works` };
  }
  return new Failure("unavailable", "no_backend", "no sandbox can be used here, so nothing was run", {
    hint: "set up one of them; `pp doctor` shows what is there",
    details: [facts.engineReachable ? `${facts.image}: ${NO_IMAGE}` : NO_ENGINE, NO_BUBBLEWRAP],
  });
}
