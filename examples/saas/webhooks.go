package main

import (
	"cmp"
	"fmt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// catalogue is what customers can subscribe to. It is in the console, which can send the examples,
// in /api/webhooks.events, and in the OpenAPI description.
var catalogue = []events.Type{{
	Name:        "order.placed",
	Description: "A customer has placed an order.",
	Schema: []byte(`{"type": "object", "required": ["id", "item", "placed"], "properties": {
		"id": {"type": "string", "format": "uuid"},
		"item": {"type": "string"},
		"placed": {"type": "string", "format": "date-time"}}}`),
	Example: []byte(`{"id": "f0c7a1de-5b1e-4a3e-9a52-6f8f6a0f3a51", "item": "tea",
		"placed": "2026-11-26T12:00:00Z"}`),
}}

// webhookOptions say how webhooks are delivered. What is not here has a default: twelve attempts
// over two and a half days, and no delivery to an internal address. mail tells people of a tenant.
func webhookOptions(dev bool, mail func(tenant, text string)) *dispatcher.Options {
	return &dispatcher.Options{
		EventTypes:        catalogue,
		OperationalEvents: true, // customers can subscribe to webhook.disabled
		Success:           dispatcher.Any2xx,
		RequireHTTPS:      !dev,
		AllowLoopback:     dev,
		Quota: func(tenant string) dispatcher.Quota { // a real product goes by what a tenant pays
			return dispatcher.Quota{Subscriptions: 20, Pending: 100_000}
		},
		Observer: &dispatcher.Observer{
			OnDisabled: func(sub store.Subscription) {
				name := cmp.Or(sub.Name, sub.ID) // and not its URL, whose query may be a secret
				mail(sub.Tenant, fmt.Sprintf("Your webhook %s gets nothing any more: %s. Repair it, "+
					"switch it on and replay what it missed, at /webhooks/.", name, sub.DisabledReason))
			},
		},
	}
}
