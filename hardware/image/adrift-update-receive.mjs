// Takes a signed release from standard input, and writes the program that is in it only if it may run on this board:
// signed by the controller of this bench, whom its authority certifies, for this cluster, and whole.
//
//   node adrift-update-receive.mjs SHA256 /etc/adrift FILE < release.json
import { createHash, verify, X509Certificate } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from "node:fs";

const sizeBytesMax = 64 * 1024 * 1024;
const refused = 1;

const [, , expected = "", folder = "", file = ""] = process.argv;
try {
  const release = JSON.parse(await readInput());
  const authority = new X509Certificate(readFileSync(`${folder}/keys/authority.pem`));
  const statement = checkSignature(release, authority);
  const program = Buffer.from(String(release.program), "base64");
  checkStatement(statement, clusterOf(readFileSync(`${folder}/board.yaml`, "utf8")), program);
  writeDurably(file, program);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = refused;
}

/** Whoever cuts a release off has sent no JSON. */
async function readInput() {
  const chunks = [];
  let sizeBytes = 0;
  for await (const chunk of process.stdin) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) throw new Error(`the release is larger than ${sizeBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The statement that was signed, once it is clear by whom. */
function checkSignature(release, authority) {
  const signer = new X509Certificate(String(release.certificate));
  if (!signer.checkIssued(authority) || !signer.verify(authority.publicKey)) {
    throw new Error("the release is signed by somebody whom this bench's authority does not certify");
  }
  const name = /^CN=(.*)$/m.exec(signer.subject)?.[1] ?? "";
  if (name !== "controller" || signer.ca) throw new Error(`the release is signed by "${name}", not by the controller`);
  const now = Date.now();
  if (now < Date.parse(signer.validFrom) || now > Date.parse(signer.validTo)) {
    throw new Error(
      `the controller's certificate is good from ${signer.validFrom} to ${signer.validTo}, and here it is ${new Date(now).toUTCString()}`,
    );
  }
  const statement = String(release.statement);
  const signature = Buffer.from(String(release.signature), "base64");
  if (!verify("sha256", Buffer.from(statement), signer.publicKey, signature)) {
    throw new Error("the signature does not fit what it is to sign: the release was changed on its way");
  }
  return statement;
}

/** Four lines, and nothing else: no other text that the controller may ever sign looks like this. */
function checkStatement(statement, cluster, program) {
  const said = /^adrift release 1\ncluster (\S+)\nversion (\S+)\nsha256 ([0-9a-f]{64})\n$/.exec(statement);
  if (said === null) throw new Error("what is signed is no release, or one of a later kind");
  const [, signedCluster, , sha256] = said;
  if (signedCluster !== cluster) throw new Error(`the release is for the cluster ${signedCluster}, not for ${cluster}`);
  const found = createHash("sha256").update(program).digest("hex");
  if (sha256 !== found || sha256 !== expected) throw new Error("the program is not the one that was signed");
}

function clusterOf(configuration) {
  const name = /^cluster: *["']?([^"'\s]+)["']? *$/m.exec(configuration)?.[1];
  if (name === undefined) throw new Error("board.yaml does not say which cluster this board is of");
  return name;
}

function writeDurably(path, content) {
  const descriptor = openSync(path, "wx", 0o644);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
