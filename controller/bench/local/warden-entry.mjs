// Waits until the process that started it is gone, however it went, and then leaves nothing of it: no process, not even a
// stopped one, no file, no socket. It is told on its standard input, a line of JSON at a time, what there is to see to:
// see WardenLine in warden.ts. When that pipe ends, so does the process at its other end.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

/** @type {Map<number, string | null>} each process with the moment at which it began */
const processes = new Map();
/** @type {Set<string>} */
const paths = new Set();
/** @type {Set<string>} */
const ownedFiles = new Set();
/** @type {Set<string>} */
const namespaces = new Set();
/** @type {Set<string>} how the names of further namespaces begin */
const namespacePrefixes = new Set();
const owner = process.argv[2] ?? "";
const ownerStart = startOf(Number(owner));
/** @type {string | null} the file in which stands whose end this one waits for, and what there is to kill then */
let record = null;

// A terminal that is closed, or Ctrl-C in it, is for the others: this one goes last.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) process.on(signal, () => undefined);

createInterface({ input: process.stdin }).on("line", take).on("close", cleanUp);

/** @param {string} line */
function take(line) {
  const told = JSON.parse(line);
  if (told.watch !== undefined) processes.set(told.watch, startOf(told.watch));
  if (told.forget !== undefined) processes.delete(told.forget);
  if (told.remove !== undefined) paths.add(told.remove);
  if (told.removeIfOwned !== undefined) ownedFiles.add(told.removeIfOwned);
  if (told.removeNamespace !== undefined) namespaces.add(told.removeNamespace);
  if (told.removeNamespacesOf !== undefined) namespacePrefixes.add(told.removeNamespacesOf);
  if (told.record !== undefined) record = told.record;
  if (record !== null) writeRecord(record);
}

/**
 * For whoever finds this folder when nobody is left who could clean up: see stale-benches.ts.
 *
 * @param {string} path
 */
function writeRecord(path) {
  const content = {
    owner: identity(Number(owner), ownerStart),
    processes: Array.from(processes, ([pid, start]) => identity(pid, start)),
  };
  try {
    writeFileSync(`${path}~`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${path}~`, path);
  } catch {
    // There is no room for it, or its folder is gone: this process cleans up as long as it lives.
  }
}

/**
 * As ProcessIdentity in process-identity.ts.
 *
 * @param {number} pid
 * @param {string | null} ticks
 */
function identity(pid, ticks) {
  const machineStart = machineStartNow();
  return { pid, start: ticks === null || machineStart === null ? null : { ticks, machineStart } };
}

function machineStartNow() {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return null;
  }
}

function cleanUp() {
  for (const [pid, start] of processes) if (startOf(pid) === start) kill(pid);
  for (const name of namespacesLeft()) removeNamespace(name);
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  for (const file of ownedFiles) if (isOwned(file)) removeWithFolder(file);
  process.exit();
}

function namespacesLeft() {
  try {
    const isOurs = (/** @type {string} */ name) =>
      namespaces.has(name) || [...namespacePrefixes].some((prefix) => name.startsWith(prefix));
    return readdirSync("/run/netns").filter(isOurs);
  } catch {
    return [];
  }
}

/** @param {string} name */
function removeNamespace(name) {
  for (const pid of ip("netns", "pids", name).split("\n").map(Number)) if (pid > 0 && !isWarden(pid)) kill(pid);
  ip("netns", "delete", name);
}

/**
 * What `ip` writes; nothing if it fails, because somebody else was quicker.
 *
 * @param {string[]} args
 */
function ip(...args) {
  try {
    return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

/**
 * A warden that runs in a namespace has its own work to do, and then ends.
 *
 * @param {number} pid
 */
function isWarden(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("warden-entry.mjs");
  } catch {
    return false;
  }
}

/** @param {number} pid */
function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

/**
 * The moment at which a process began, so that another that got its number later is left alone; `null` where nobody can
 * tell.
 *
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, and may hold anything; the start is the 22nd.
    return line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

/**
 * Whether a file of JSON still names the process whose end this one waited for.
 *
 * @param {string} file
 */
function isOwned(file) {
  try {
    return String(JSON.parse(readFileSync(file, "utf8")).pid) === owner;
  } catch {
    return false;
  }
}

/** @param {string} file */
function removeWithFolder(file) {
  rmSync(file, { force: true });
  try {
    rmdirSync(dirname(file));
  } catch {
    // Something else is in it.
  }
}
