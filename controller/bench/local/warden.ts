/**
 * A helper process that sees to it that nothing is left when the controller dies, in whatever way: a pipe to it ends with
 * the controller, and it then kills what it was told of and removes files.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What the warden is told. */
type WardenLine =
  /** A process that must not outlive the controller; told right after its start. */
  | { readonly watch: number }
  /** It has ended. */
  | { readonly forget: number }
  /** A file or folder that must not outlive the controller. */
  | { readonly remove: string }
  /** A file of JSON that goes, with its folder if that is empty then, as long as its `pid` is the controller's. */
  | { readonly removeIfOwned: string }
  /** A network namespace that must not outlive the controller, nor what runs in it. */
  | { readonly removeNamespace: string }
  /** All whose names begin so. */
  | { readonly removeNamespacesOf: string }
  /** Where to keep, for the case that both this process and the warden are killed, what the warden knows. */
  | { readonly record: string };

const program = fileURLToPath(new URL("./warden-entry.mjs", import.meta.url));

/** A warden that somebody killed is replaced; one that cannot live is a fault. */
const livesAtLeastMs = 100;

/** See the head of this file. */
export class Warden {
  #child: ChildProcess;
  #isReleased = false;
  readonly #duties = new Map<string, WardenLine>();

  constructor() {
    this.#child = this.#start();
  }

  /** A process that must not outlive this one. */
  watch(pid: number): void {
    this.#duties.set(`process ${pid}`, { watch: pid });
    this.#tell({ watch: pid });
  }

  forget(pid: number): void {
    this.#duties.delete(`process ${pid}`);
    this.#tell({ forget: pid });
  }

  /** A file or folder that must not outlive this process. */
  remove(path: string): void {
    this.#duties.set(`path ${path}`, { remove: path });
    this.#tell({ remove: path });
  }

  /** A file that tells of this process by its `pid`. */
  removeIfOwned(file: string): void {
    this.#duties.set(`file ${file}`, { removeIfOwned: file });
    this.#tell({ removeIfOwned: file });
  }

  /**
   * A network namespace must not outlive this process, nor what runs in it. A warden that runs there is left alone: it has
   * its own work to do, and then ends.
   */
  removeNamespace(name: string): void {
    this.#duties.set(`namespace ${name}`, { removeNamespace: name });
    this.#tell({ removeNamespace: name });
  }

  /** The same for all whose names begin so. */
  removeNamespacesOf(prefix: string): void {
    this.#duties.set(`namespaces ${prefix}`, { removeNamespacesOf: prefix });
    this.#tell({ removeNamespacesOf: prefix });
  }

  /** A file that says what there is to clean up should the warden be killed too: see `stale-benches.ts`. */
  record(file: string): void {
    this.#duties.set("record", { record: file });
    this.#tell({ record: file });
  }

  /** Has everything removed and killed that is left, and waits for it. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    const child = this.#child;
    const gone = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit");
    child.stdin?.end();
    await gone;
  }

  #start(): ChildProcess {
    // In a session of its own, so that what ends the controller's terminal does not end the warden.
    const child = spawn(process.execPath, [program, String(process.pid)], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    const startedMs = performance.now();
    child.stdin?.on("error", () => undefined);
    child.once("error", (error) => {
      throw new Error(`Nobody would clean up after this process: its warden did not start (${error.message}).`);
    });
    child.once("exit", () => {
      if (this.#isReleased) return;
      if (performance.now() - startedMs < livesAtLeastMs) throw new Error(`${program} does not run.`);
      this.#child = this.#start();
      for (const line of this.#duties.values()) this.#tell(line);
    });
    return child;
  }

  #tell(line: WardenLine): void {
    this.#child.stdin?.write(`${JSON.stringify(line)}\n`);
  }
}
