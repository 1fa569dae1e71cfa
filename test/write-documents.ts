/** Writes anew what programs write into documents. To be run by a person: `npx tsx test/write-documents.ts`. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoPicture, generatedPart, makeFolder, mutantTable, readDocument, root, runCommand } from "./documents.ts";

function write(path: string, name: string, part: string): void {
  const document = readDocument(path);
  const marked = `<!-- ${name} -->\n`;
  const text = document.text.replace(marked + generatedPart(document, name), () => marked + part);
  writeFileSync(join(root, path), text);
}

const { out } = await runCommand("npx adrift demo", makeFolder());
write("README.md", "demo", demoPicture(out));
write("docs/reference/invariants.md", "mutants", mutantTable());
