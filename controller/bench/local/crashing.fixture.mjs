// A program that says that it runs, and dies at once.
process.send?.({ type: "started" });
process.stderr.write("out of luck\n", () => process.exit(3));
