/** Commands for root on machines where root itself logs in, and on those where somebody else does who may become root. */

const becomeRoot = '[ "$(id -u)" = 0 ] || set -- sudo -n "$@"; exec "$@"';

/** The command as a `CommandHost` is to run it: as root, or by sudo without a password. */
export function asRoot(command: readonly string[]): readonly string[] {
  return ["sh", "-c", becomeRoot, "adrift", ...command];
}
