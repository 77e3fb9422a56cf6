// Reads AsyncAPI documents, which are files, with AsyncAPI's own parser, which holds them to the JSON Schema of their version
// and to its rules. Prints a line of JSON for each: the problems, and the operations that the parser has found.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function read(file) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
  const said = (severity) => diagnostics.filter((d) => d.severity === severity)
    .map((d) => `${d.code} at ${d.path.join("/")}: ${d.message}`);
  const operations = document === undefined ? [] : document.operations().all().map((operation) => {
    const [message] = operation.messages().all();
    return {
      action: operation.action(), message: message.name(),
      headers: Object.keys(message.headers().properties()).length, examples: message.examples().all().length,
      address: operation.channels().all()[0].address() ?? "",
    };
  });
  return { errors: said(0), warnings: said(1), operations };
}

async function main() {
  for (const file of process.argv.slice(2)) console.log(JSON.stringify(await read(file)));
}

main();
