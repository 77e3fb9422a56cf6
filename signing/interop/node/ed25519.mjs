// A receiver of webhooks. Its arguments are public keys: the path /0 verifies with the first, and so on. It answers 200 to
// what verifies and 401 to what does not, and prints its port. The function verified is that of docs/signatures.md.
import crypto from "node:crypto";
import http from "node:http";

const keys = process.argv.slice(2).map((text) => {
  const raw = Buffer.from(text.slice("whpk_".length), "base64");
  return crypto.createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk",
  });
});

function verified(key, headers, body) { // body is a Buffer, as it was received
  const id = headers["webhook-id"], time = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - time) < 300)) return false;
  const message = Buffer.concat([Buffer.from(`${id}.${time}.`), body]);
  return headers["webhook-signature"].split(" ").filter((s) => s.startsWith("v1a,"))
    .some((s) => crypto.verify(null, message, key, Buffer.from(s.slice(4), "base64")));
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const key = keys[Number(request.url.slice(1))];
    response.writeHead(verified(key, request.headers, Buffer.concat(chunks)) ? 200 : 401).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume(); // the test has ended
