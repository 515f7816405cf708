// @ts-types="@types/dockerode"
import type Docker from "dockerode";

export type { Docker };
export type HostConfig = Docker.HostConfig;
export type ImageInspectInfo = Docker.ImageInspectInfo;

/** Loads the client library, which costs a quarter of a second, when it is needed. */
export async function loadDockerode(): Promise<new (options: object) => Docker> {
  return (await import("dockerode")).default as unknown as new (options: object) => Docker;
}
