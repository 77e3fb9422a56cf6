// Prints what the recommended rules of Redocly find in a description, and fails if that is anything.
import { readFileSync } from "node:fs";
import { createConfig, lintFromString } from "@redocly/openapi-core";

const file = process.argv[2];
const problems = await lintFromString({
  source: readFileSync(file, "utf8"),
  absoluteRef: file,
  config: await createConfig({ extends: ["recommended"] }),
});
for (const { severity, ruleId, message, location } of problems) {
  console.log(`${severity} ${ruleId}: ${message} at ${location[0].pointer}`);
}
process.exit(problems.length > 0 ? 1 : 0);
