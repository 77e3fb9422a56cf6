// A client of the endpoints, typed by what openapi-typescript makes of the description. It is
// compiled with all checks, and run against a host.
import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./api.js";

declare const process: { argv: string[] };

type Webhook = components["schemas"]["webhook"];

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

function equal(got: unknown, want: unknown) {
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    throw new Error(`got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

const made: Webhook = must(
  await client.POST("/webhooks.subscribe", {
    body: { url: "https://endpoint.example/webhook", events: ["order.created"], headers: { "X-Team": "crm" } },
  }),
);
equal(made.status, "Subscribed");

await client.POST("/webhooks.subscribe", {
  // @ts-expect-error: events is a list
  body: { url: "https://endpoint.example/webhook", events: "order.created" },
});
// @ts-expect-error: the url is missing
await client.POST("/webhooks.subscribe", { body: { name: "CRM" } });
export const mistyped: paths["/webhooks.subscribe"]["post"]["requestBody"]["content"]["application/json"] = {
  url: "https://endpoint.example/webhook",
  // @ts-expect-error: no such field
  signatur_key: "a key",
};

const changed = must(await client.POST("/webhooks.update", { body: { id: made.id, status: "Unsubscribed" } }));
equal([changed.id, changed.status, changed.headers["X-Team"]], [made.id, "Unsubscribed", "crm"]);

const all = must(await client.POST("/webhooks.list"));
equal(all.data.map((w) => w.id), [made.id]);
const page = must(await client.POST("/webhooks.list", { body: { page_size: 1 } }));
equal(page.pagination_data?.total, 1);

const stats = must(await client.POST("/webhooks.stats", { body: { id: made.id } }));
const breaker: "closed" | "open" = stats.breaker;
equal([breaker, stats.pending], ["closed", 0]);

const filtered = must(
  await client.POST("/webhooks.deliveries", { body: { state: ["dead", "canceled"], since: "2020-10-25T21:24:54.560Z" } }),
);
equal(filtered.data, []);

const missing = await client.POST("/webhooks.info", { body: { id: "8a6c7f52-3f2e-4a1b-9c1d-0e5f6a7b8c9d" } });
equal(missing.response.status, 404);
if (missing.error === undefined || missing.error.message === "") {
  throw new Error("an error has no message");
}
equal(must(await client.POST("/webhooks.delete", { body: { id: made.id } })), {});

// What a receiver gets.
type Body<T extends keyof webhooks> = webhooks[T]["post"]["requestBody"]["content"]["application/json"];
export const ping: Body<"webhook.ping"> = { type: "webhook.ping", timestamp: 0, payload: { id: made.id } };
console.log("ok");
