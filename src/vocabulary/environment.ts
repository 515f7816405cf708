/** Environment variables as given to veripatch. */
export type Environment = Readonly<Record<string, string | undefined>>;
