/** What a person answers to a question on the command line. */

/** The line that somebody types, without blanks around it; `null` if nobody is there to answer. */
export async function readAnswer(input: AsyncIterable<Uint8Array>): Promise<string | null> {
  let text = "";
  for await (const chunk of input) {
    text += Buffer.from(chunk).toString("utf8");
    if (text.includes("\n")) break;
  }
  return text === "" ? null : (text.split("\n")[0] ?? "").trim();
}
