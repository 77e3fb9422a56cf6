// What a receiver gets of a host that declares the event types order.created and order.note.
import type { webhooks } from "./host.js";

type Body<T extends keyof webhooks> = webhooks[T]["post"]["requestBody"]["content"]["application/json"];

export function total(order: Body<"order.created">): number {
  const lines = order.payload.lines ?? [];
  return lines.reduce((sum, line) => sum + line.price, 0);
}

export const note: Body<"order.note"> = { type: "order.note", timestamp: 0, payload: ["anything"] };

export const wrong: Body<"order.created"> = {
  type: "order.created",
  timestamp: 0,
  // @ts-expect-error: the id is missing
  payload: { lines: [] },
};

// @ts-expect-error: the host does not publish it
export type Other = Body<"message.updated">;
