import { existsSync, readFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(new URL(`./config/${name}`, import.meta.url), "utf8"));

export function config() {
  const local = existsSync(new URL("./config/local.json", import.meta.url)) ? read("local.json") : {};
  return { ...read("default.json"), ...local };
}
