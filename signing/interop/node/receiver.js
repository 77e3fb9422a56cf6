// A receiver of webhooks. Its argument is a list of {key, raw}: the path /0 verifies with the first, and so on. It answers
// 200 to what verifies, 401 to what does not, and 500 where the library takes no such key. It prints its port.
const http = require("node:http");
const { Webhook } = require("standardwebhooks");

const keys = JSON.parse(process.argv[2]);

function verify(request, body) {
  const { key, raw } = keys[Number(request.url.slice(1))];
  let webhook;
  try {
    webhook = new Webhook(key, raw ? { format: "raw" } : undefined);
  } catch (error) {
    return [500, String(error)];
  }
  try {
    webhook.verify(body, request.headers);
    return [200, "verified"];
  } catch (error) {
    return [401, String(error)];
  }
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const [status, text] = verify(request, Buffer.concat(chunks));
    response.writeHead(status).end(text);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume(); // the test has ended
