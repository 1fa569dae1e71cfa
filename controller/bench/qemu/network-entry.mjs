// Holds the network of a QEMU bench: started by network.ts in a network namespace without a name, which lives as long as a
// process is in it, and goes with the last one. It also lets the controller in, which stays outside: each connection to the
// socket SOCKET says first, in a line, to which "address port" in here it is to be passed on.
import { createConnection, createServer } from "node:net";

const [path] = process.argv.slice(2);

// A terminal that is closed, or Ctrl-C in it, is for the controller: when it goes, standard input ends.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) process.on(signal, () => undefined);
process.stdin.on("end", () => process.exit()).resume();

createServer((from) => {
  from.on("error", () => from.destroy());
  from.once("readable", () => {
    const head = readLine(from);
    if (head === null) return from.destroy();
    const [host, port] = head.split(" ");
    const to = createConnection({ host, port: Number(port), noDelay: true });
    to.on("error", () => from.destroy());
    from.on("close", () => to.destroy());
    to.on("close", () => from.destroy());
    from.pipe(to).pipe(from);
  });
}).listen(path, () => process.stdout.write("ready\n"));

/**
 * The first line; whoever connects writes it whole, before anything else.
 *
 * @param {import("node:net").Socket} socket
 */
function readLine(socket) {
  const bytes = socket.read();
  const end = bytes === null ? -1 : bytes.indexOf("\n");
  if (end === -1) return null;
  socket.unshift(bytes.subarray(end + 1));
  return bytes.subarray(0, end).toString("utf8");
}
