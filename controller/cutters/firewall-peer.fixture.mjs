// For tests: in a namespace of its own it sends datagrams over each of its links and says which ones arrive, and answers
// over TCP what it is told. Arguments: "local remote" for each link. On its input: "<id> <link>" to send.
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const port = 4_000;
const links = process.argv.slice(2).map((link) => link.split(" "));

const sockets = links.map(([local], index) => {
  const socket = createSocket("udp4").bind(port, local);
  // A firewall that drops what goes out tells the sender so.
  socket.on("error", () => undefined);
  socket.on("message", (id) => process.stdout.write(`${id} ${index}\n`));
  return socket;
});
createServer((socket) => socket.on("error", () => undefined).pipe(socket)).listen(port);

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [id = "", index = "0"] = line.split(" ");
    sockets[Number(index)]?.send(id, port, links[Number(index)]?.[1], () => undefined);
  })
  .on("close", () => process.exit());
process.stdout.write("ready\n");
