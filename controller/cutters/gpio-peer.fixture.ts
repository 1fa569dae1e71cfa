/**
 * For tests: a GPIO chip of files, and stand-ins for the tools of libgpiod 1.6 and 2.2 that drive it. They take the arguments,
 * print the texts and end with the statuses of the real ones; a line belongs to whoever holds it, for as long as this lives.
 */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { vi } from "vitest";
import { openHost } from "./command-host.ts";
import type { CommandHost } from "./surroundings.ts";

export type Generation = "1.6.3" | "2.2.1";

/** What can be wrong with the chip or its tools. */
export type GpioTrouble = "gone" | "silent" | "slow" | "busy";

/** A chip `gpiochip0` with the label `pinctrl-test` and eight lines. */
export class FileChip {
  readonly host: CommandHost;
  /** The `PATH` on which the stand-ins come first. */
  readonly path: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "adrift-gpio-"));

  /** @param keepsDriving whether a line that is let go of stays as it was, as on a Raspberry Pi; else it becomes an input */
  constructor(generation: Generation, keepsDriving: boolean) {
    const bin = join(this.#folder, "bin");
    mkdirSync(bin);
    mkdirSync(this.#lines);
    if (keepsDriving) this.#mark("keeps-driving");
    const script = join(bin, "tool");
    writeFileSync(script, standIn(this.#folder, generation));
    chmodSync(script, 0o755);
    for (const tool of ["gpiodetect", "gpioinfo", "gpioset", "gpioget"]) symlinkSync(script, join(bin, tool));
    const here = openHost("here", { kind: "here" });
    this.path = `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
    const path = `PATH=${this.path}`;
    this.host = {
      ...here,
      run: (command, input, withinMs) => here.run(["env", path, ...command], input, withinMs),
      hold: (command) => here.hold(["env", path, ...command]),
    };
  }

  get #lines(): string {
    return join(this.#folder, "lines");
  }

  /** Whether anything drives the pin. */
  isDriven(line: string): boolean {
    const kept = existsSync(join(this.#folder, "keeps-driving"));
    return this.#word(line, "direction") === "output" && (kept || this.holder(line) !== null);
  }

  /** The level at the pin: a pull-down resistor makes it low where nothing drives it. */
  level(line: string): 0 | 1 {
    return this.isDriven(line) && this.#word(line, "level") === "1" ? 1 : 0;
  }

  /** The process that holds the line. */
  holder(line: string): number | null {
    const pid = Number(this.#word(line, "holder"));
    return pid > 0 && isAlive(pid) ? pid : null;
  }

  begin(trouble: GpioTrouble): void {
    this.#mark(trouble);
  }

  end(trouble: GpioTrouble): void {
    if (trouble === "gone") for (const file of readdirSync(this.#lines)) rmSync(join(this.#lines, file));
    rmSync(join(this.#folder, trouble));
  }

  /** Takes it away; what is ending just now may still write into it for a moment. */
  async dispose(): Promise<void> {
    await vi.waitFor(() => rmSync(this.#folder, { recursive: true, force: true }), { timeout: 5_000 });
  }

  #mark(name: string): void {
    writeFileSync(join(this.#folder, name), "");
  }

  #word(line: string, what: string): string {
    try {
      return readFileSync(join(this.#lines, `${line}.${what}`), "utf8").trim();
    } catch {
      return "";
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function standIn(folder: string, generation: Generation): string {
  return `#!/bin/sh
state='${folder}'
first=${generation.startsWith("1.") ? "yes" : "no"}
tool=$(basename "$0")
fail() { echo "$tool: $*" >&2; exit 1; }
read_line() {
  direction=input; holder=; consumer=
  [ -e "$state/lines/$1.holder" ] && holder=$(cat "$state/lines/$1.holder") && consumer=$(cat "$state/lines/$1.consumer")
  [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null && holder=
  if [ -n "$holder" ] || [ -e "$state/keeps-driving" ]; then
    [ -e "$state/lines/$1.direction" ] && direction=$(cat "$state/lines/$1.direction")
  fi
}
while [ -e "$state/silent" ]; do [ -d "$state" ] || exit 1; sleep 0.05; done
[ -e "$state/slow" ] && sleep 0.2

lines=; low=0; toggle=; as_is=no; chip=; consumer_wanted=$tool; mode=exit
while [ $# -gt 0 ]; do
  case "$1" in
    -v|--version)
      if [ $first = yes ]; then echo "$tool (libgpiod) v${generation}"; else echo "$tool v${generation} (libgpiod v${generation})"; fi
      exit 0;;
    -l|--active-low) low=1;;
    --mode=*) [ $first = yes ] || fail "unrecognized option '$1'"; mode=\${1#--mode=};;
    -t) [ $first = no ] || fail "invalid option -- 't'"; shift; toggle=$1;;
    -C) [ $first = no ] || fail "invalid option -- 'C'"; shift; consumer_wanted=$1;;
    -c) [ $first = no ] || fail "invalid option -- 'c'"; shift; chip=$1;;
    --as-is) [ $first = no ] || fail "unrecognized option '$1'"; as_is=yes;;
    --numeric) [ $first = no ] || fail "unrecognized option '$1'";;
    -*) fail "unrecognized option '$1'";;
    *) if [ $first = yes ] && [ -z "$chip" ]; then chip=$1; else lines="$lines $1"; fi;;
  esac
  shift
done

if [ "$tool" = gpiodetect ]; then
  echo "gpiochip7 [another-chip] (4 lines)"
  [ -e "$state/gone" ] || echo "gpiochip0 [pinctrl-test] (8 lines)"
  exit 0
fi
if [ "$chip" != gpiochip0 ] || [ -e "$state/gone" ]; then
  if [ $first = yes ]; then fail "looking up chip $chip: No such file or directory"
  else fail "cannot find GPIO chip character device '$chip'"; fi
fi

case "$tool" in
gpioinfo)
  if [ $first = yes ]; then
    echo "gpiochip0 - 8 lines:"
    for line in 0 1 2 3 4 5 6 7; do
      read_line $line
      user=unused; used=
      [ -n "$holder" ] && user="\\"$consumer\\"" && used="[used]"
      printf '\\tline %3s: %12s %12s %7s %12s %s\\n' $line unnamed "$user" $direction active-high "$used"
    done
  else
    for line in $lines; do
      [ "$line" -lt 8 ] || fail "offset $line is out of range on chip '$chip'"
      read_line $line
      user=
      [ -n "$holder" ] && user=" consumer=\\"$consumer\\""
      printf 'gpiochip0 %s\\t%-16s\\t%s%s\\n' $line unnamed $direction "$user"
    done
  fi;;
gpioget)
  line=\${lines# }
  read_line $line
  [ -n "$holder" ] && fail "error reading GPIO values: Device or resource busy"
  level=0
  if [ $as_is = yes ]; then [ $direction = output ] && level=$(cat "$state/lines/$line.level")
  else echo input > "$state/lines/$line.direction"; fi
  if [ $low = 1 ]; then echo $((1 - level)); else echo $level; fi;;
gpioset)
  line=\${lines# }; value=\${line#*=}; line=\${line%=*}
  [ "$line" -lt 8 ] || fail "offset $line is out of range on chip '$chip'"
  read_line $line
  if [ -n "$holder" ] || [ -e "$state/busy" ]; then
    if [ $first = yes ]; then fail "error setting the GPIO line values: Device or resource busy"
    else fail "unable to request lines on chip '/dev/$chip': Device or resource busy"; fi
  fi
  [ $low = 1 ] && value=$((1 - value))
  echo $value > "$state/lines/$line.level"
  echo "$consumer_wanted" > "$state/lines/$line.consumer"
  echo output > "$state/lines/$line.direction"
  echo $$ > "$state/lines/$line.holder"
  trap 'exit 0' TERM INT
  if [ $first = yes ]; then
    [ $mode = exit ] && exit 0
    while [ -d "$state/lines" ]; do sleep 0.02; done
  else
    [ "$toggle" = 0 ] && exit 0
    while [ -d "$state/lines" ] && [ ! -e "$state/gone" ]; do sleep 0.02; done
  fi;;
esac
`;
}
