package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/outhook/outhook/httpapi/internal/ask"
)

// endpoint is a path with its function.
type endpoint struct {
	name      string   // after "webhooks."
	method    string   // POST, or GET for one that takes no body
	takes     []string // the fields of its request, in the order in which messages list them
	tenant    bool     // an operator may also give the field "tenant"
	ready     bool     // it needs a host that delivers
	emptyBody bool     // no body is the same as {}

	// run serves a request and returns the response. The fields are nil without a body.
	run func(ctx context.Context, acc Access, f *ask.Fields) (any, error)
}

// fields returns the fields that a request may have. That there is one for operators, a tenant is
// not told.
func (e *endpoint) fields(acc Access) []string {
	if e.tenant && acc.AnyTenant {
		return slices.Concat(e.takes, []string{"tenant"})
	}
	return e.takes
}

// endpoints returns all endpoints, in the order of the package comment.
func (a *api) endpoints() []endpoint {
	return slices.Concat(
		airyEndpoints(webhooks{a}), ownerEndpoints(a), deliveryEndpoints(deliveries{a}),
		[]endpoint{{
			name: "openapi", method: http.MethodGet, run: a.catalogue.openapi,
		}, {
			name: "asyncapi", method: http.MethodGet, run: a.catalogue.asyncapi,
		}})
}

// airyEndpoints are those that Airy has. They take what Airy's own client sends beside what Airy
// documents: signatureKey for signature_key, a status in subscribe and a url in unsubscribe.
func airyEndpoints(ws webhooks) []endpoint {
	return []endpoint{{
		name: "subscribe", method: http.MethodPost, ready: true, run: ws.subscribe, tenant: true,
		takes: []string{"url", "id", "name", "description", "metadata", "events", "filter", "fields",
			"headers", "signature_key", "signatureKey", "signature_kind", "rate", "timeout_seconds",
			"poll", "status"},
	}, {
		// ready, because an update can subscribe a webhook again.
		name: "update", method: http.MethodPost, ready: true, run: ws.update,
		takes: []string{"id", "url", "name", "description", "metadata", "events", "filter", "fields",
			"headers", "signature_key", "signatureKey", "rate", "timeout_seconds", "poll",
			"status", "version"},
	}, {
		name: "unsubscribe", method: http.MethodPost, run: ws.unsubscribe,
		takes: []string{"id", "url"},
	}, {
		name: "info", method: http.MethodPost, run: ws.info,
		takes: []string{"id"},
	}, {
		// Airy's client sends no body.
		name: "list", method: http.MethodPost, run: ws.list, tenant: true, emptyBody: true,
		takes: []string{"cursor", "page_size", "status", "text", "event_type", "metadata"},
	}}
}

// ownerEndpoints are the others about a webhook.
func ownerEndpoints(a *api) []endpoint {
	ws, rs, fs := webhooks{a}, receivers{a}, figures{a}
	return []endpoint{{
		name: "pause", method: http.MethodPost, run: ws.pause,
		takes: []string{"id"},
	}, {
		// ready, because what has collected is sent.
		name: "resume", method: http.MethodPost, ready: true, run: ws.resume,
		takes: []string{"id"},
	}, {
		name: "delete", method: http.MethodPost, run: ws.delete,
		takes: []string{"id"},
	}, {
		name: "rotate", method: http.MethodPost, run: ws.rotate,
		takes: []string{"id", "signature_key", "signatureKey", "signature_kind", "overlap_seconds",
			"version"},
	}, {
		name: "ping", method: http.MethodPost, ready: true, run: rs.ping,
		takes: []string{"id", "event_type"},
	}, {
		name: "verify", method: http.MethodPost, ready: true, run: rs.verify,
		takes: []string{"id"},
	}, {
		name: "poll", method: http.MethodPost, run: rs.poll,
		takes: []string{"id", "cursor", "max", "wait_seconds"},
	}, {
		name: "stats", method: http.MethodPost, run: fs.stats,
		takes: []string{"id"},
	}, {
		name: "figures", method: http.MethodPost, run: fs.figures, tenant: true, emptyBody: true,
		takes: []string{"id", "resolution"},
	}, {
		name: "test_filter", method: http.MethodPost, run: rs.testFilter, tenant: true, emptyBody: true,
		takes: []string{"events", "filter", "fields"},
	}, {
		name: "events", method: http.MethodPost, run: a.catalogue.events, emptyBody: true,
	}}
}

// deliveryEndpoints are those about what was sent.
func deliveryEndpoints(ds deliveries) []endpoint {
	filter := []string{"webhook_id", "event_type", "event_id", "key", "tag", "state", "class",
		"status", "since", "until"}
	return []endpoint{{
		name: "deliveries", method: http.MethodPost, run: ds.list, tenant: true, emptyBody: true,
		takes: slices.Concat(filter, []string{"cursor", "page_size", "count"}),
	}, {
		name: "event", method: http.MethodPost, run: ds.event, tenant: true,
		takes: []string{"event_id", "cursor"},
	}, {
		name: "attempts", method: http.MethodPost, run: ds.attempts,
		takes: []string{"webhook_id", "event_id"},
	}, {
		name: "redeliver", method: http.MethodPost, ready: true, run: ds.redeliver,
		takes: []string{"webhook_id", "event_id"},
	}, {
		name: "replay", method: http.MethodPost, ready: true, run: ds.replay, tenant: true,
		takes: slices.Concat(filter, []string{"dry_run", "cursor", "page_size"}),
	}}
}
