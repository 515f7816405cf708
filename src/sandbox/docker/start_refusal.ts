/**
 * What an engine's words about a command it could not start mean in a shell's terms: 127 for a program that is not
 * there, 126 for one that cannot be executed. Engines put these words into the output or into an error, with exit
 * codes of their own.
 * @returns null when the words are about something else
 */
export function startRefusal(
  program: string,
  words: string,
): { readonly exitCode: 126 | 127; readonly message: string } | null {
  if (!/OCI runtime|OCI permission denied|exec failed|executable file|crun:|runc:/i.test(words)) return null;
  if (/chdir to cwd|getcwd/.test(words)) {
    return { exitCode: 126, message: `${program}: the working directory is not there` };
  }
  if (/permission denied/i.test(words)) return { exitCode: 126, message: `${program}: permission denied` };
  if (/exec format error/i.test(words)) return { exitCode: 126, message: `${program}: exec format error` };
  if (/is a directory/i.test(words)) return { exitCode: 126, message: `${program}: is a directory` };
  if (/argument list too long/i.test(words)) {
    return { exitCode: 126, message: `${program}: argument list too long` };
  }
  if (/executable file .*not found|no such file or directory|not a directory/i.test(words)) {
    return { exitCode: 127, message: `${program}: not found` };
  }
  return null;
}
