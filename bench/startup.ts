import { dockerRun, freeze, PYTEST, withSmallProject } from "./base.ts";
import { ms, program, type Row, sideBySide } from "./measure.ts";
import { EXAMPLES_IMAGE } from "../tools/image.ts";
import { PP_FROM_CHECKOUT as PP } from "../tools/pp.ts";

/** What `pp` itself costs: answering its version, and a run with nothing to prove. */
export async function startup(host: string): Promise<Row[]> {
  const [version, nothing] = await sideBySide(
    15,
    () => program([...PP, "--version"]),
    () => program([Deno.execPath(), "eval", ""]),
  ) as [number, number];
  const { run, exec, docker } = await passingRun(host);
  return [
    {
      what: "pp --version",
      ours: ms(version),
      peer: `${ms(nothing)} for deno eval ''`,
      figure: (version / nothing).toFixed(2),
      target: "at most 2",
      met: version / nothing <= 2,
    },
    {
      what: "pp run on a command that passes already",
      ours: ms(run),
      peer: `${ms(docker)} for docker run --rm -v`,
      figure: `+${Math.round(run - docker)} ms`,
      target: "at most +1000 ms",
      met: run - docker <= 1000,
    },
    {
      what: "the same beside a container that runs already",
      ours: ms(run),
      peer: `${ms(exec)} in a warm container`,
      figure: `+${Math.round(run - exec)} ms`,
      target: "",
      met: null,
    },
  ];
}

/** Milliseconds of the same command: by `pp run`, in a warm container, and in one that is made for it. */
async function passingRun(host: string): Promise<{ run: number; exec: number; docker: number }> {
  return await withSmallProject(async (directory) => {
    await Deno.chmod(directory, 0o755);
    const env = { DOCKER_HOST: host, NO_COLOR: "1" };
    const command = PYTEST;
    const base = await freeze(directory, host, 1);
    try {
      const warm = await base.checkout([]);
      const [run, exec, docker] = await sideBySide(
        7,
        // Exit 2 is right here: a passing command is no proof.
        () =>
          program([
            "sh",
            "-c",
            `"$@"; test $? -eq 2`,
            "sh",
            ...PP,
            "run",
            "--image",
            EXAMPLES_IMAGE,
            "--",
            ...command,
          ], { cwd: directory, env }),
        () => warm.exec(command, { timeoutMs: 60_000, outputBytes: 4096 }),
        () => program([...dockerRun(directory), ...command], { env: { DOCKER_HOST: host } }),
      ) as [number, number, number];
      await warm.discard();
      return { run, exec, docker };
    } finally {
      await base.close();
    }
  });
}
