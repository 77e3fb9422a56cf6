// Reads an AsyncAPI document with AsyncAPI's own parser, which holds it to the JSON Schema of its version and to its rules,
// and examples to their schemas. Prints each problem, and what the parser has found in it.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function main() {
  const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
  const problems = diagnostics.filter((d) => d.severity === 0);
  for (const d of diagnostics.filter((d) => d.severity <= 1)) {
    console.log(`${d.severity === 0 ? "error" : "warning"} ${d.code} at ${d.path.join("/")}: ${d.message}`);
  }
  if (problems.length > 0 || document === undefined) process.exit(1);
  const found = document.operations().all().map((operation) => {
    const [message] = operation.messages().all();
    return `${operation.action()} ${message.name()} ${Object.keys(message.headers().properties()).length > 3}` +
      ` ${message.examples().all().length} ${operation.channels().all()[0].address()}`;
  });
  console.log(found.sort().join("\n"));
}

main();
