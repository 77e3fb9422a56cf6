package httpapi_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
)

// asAiry sends what Airy's TypeScript HttpClient sends around every body.
func (h *host) asAiry(endpoint, body string) answer {
	h.t.Helper()
	return h.post(endpoint, body, "Accept", "application/json", "X-Requested-With", "XMLHttpRequest")
}

// The requests of Airy's control centre, through all that a user can do there. The bodies are what
// its pages make by JSON.stringify, in that order of keys, with what is undefined left out.
func TestAiryControlCentre(t *testing.T) {
	h := newHost(t, config{})
	a := h.asAiry("list", "") // JSON.stringify(undefined): a content type and no body
	if a.status != 200 || a.body != `{"data":[]}` {
		t.Fatalf("list: got %d %s, want an empty list", a.status, a.body)
	}

	// A new webhook: the form's defaults, overwritten by what is filled in.
	a = h.asAiry("subscribe",
		`{"id":"","url":"https://crm.example/hook","signatureKey":"s3cret","events":["message.created","message.updated"],`+
			`"headers":{"X-Custom-Header":"token"},"name":"CRM"}`)
	created := decode[webhook](t, a)
	if a.status != 200 || created.Status != "Subscribed" ||
		created.Headers["X-Custom-Header"] != "token" {
		t.Fatalf("subscribe: got %d %s", a.status, a.body)
	}
	id := *created.ID
	if got := h.stored(id).Secrets; len(got) != 1 || got[0] != "s3cret" {
		t.Errorf("subscribe: got %d keys, want that of signatureKey", len(got))
	}

	// One with nothing but a URL filled in: every other default is sent empty.
	bare := decode[webhook](t, h.asAiry("subscribe",
		`{"id":"","url":"https://bare.example/","signatureKey":"","events":[],"headers":{"X-Custom-Header":""}}`))
	if bare.Name != nil || len(bare.Events) != 0 ||
		!reflect.DeepEqual(bare.Headers, map[string]string{"X-Custom-Header": ""}) {
		t.Errorf("subscribe with the form's defaults: got %+v", bare)
	}
	if got := h.stored(*bare.ID).Secrets; len(got) != 0 {
		t.Errorf("subscribe with an empty signatureKey: got %d keys, want none", len(got))
	}

	// The switch, the pencil and the switch again: the webhook as it was listed, with what changes.
	listed := `"id":"` + id +
		`","name":"CRM","url":"https://crm.example/hook","events":["message.created","message.updated"],"headers":{"X-Custom-Header":"token"}`
	for _, step := range []struct{ name, body, status string }{
		{"switch off", `{` + listed + `,"status":"Unsubscribed"}`, "Unsubscribed"},
		{"edit while off", `{` + listed + `,"status":"Unsubscribed"}`, "Unsubscribed"},
		{"switch on", `{` + listed + `,"status":"Subscribed"}`, "Subscribed"},
		{"edit the key", `{` + listed + `,"status":"Subscribed","signatureKey":"n3w"}`, "Subscribed"},
	} {
		a := h.asAiry("update", step.body)
		if got := decode[webhook](t, a).Status; a.status != 200 || got != step.status {
			t.Errorf("%s: got %d %s, want 200 and %s", step.name, a.status, a.body, step.status)
		}
	}
	if got := h.stored(id).Secrets; !reflect.DeepEqual(got, []signing.Secret{"n3w"}) {
		t.Errorf("the key: want that of the last edit, and kept before")
	}
}

// What earlier versions of the control centre sent to switch a webhook off and on.
func TestAiryEarlierControlCentre(t *testing.T) {
	h := newHost(t, config{})
	created := decode[webhook](t, h.asAiry("subscribe",
		`{"url":"https://crm.example/hook","name":"","events":["channel.updated"],"signatureKey":"","headers":{"X-Custom-Header":""}}`))
	id := *created.ID
	off := h.asAiry("unsubscribe", `{"id":"`+id+`","url":"https://crm.example/hook"}`)
	if off.status != 200 || decode[webhook](t, off).Status != "Unsubscribed" {
		t.Errorf("unsubscribe with its url: got %d %s", off.status, off.body)
	}
	on := h.asAiry("subscribe", `{"id":"`+id+
		`","url":"https://crm.example/hook","events":["channel.updated"],"headers":{"X-Custom-Header":""},"status":"Unsubscribed"}`)
	if on.status != 200 || decode[webhook](t, on).Status != "Subscribed" {
		t.Errorf("subscribe with a status: got %d %s, want it ignored", on.status, on.body)
	}
	edit := h.asAiry("update", `{"id":"`+id+
		`","url":"https://new.example/","name":"","events":[],"signatureKey":"","headers":{"X-Custom-Header":""}}`)
	if edit.status != 200 || decode[webhook](t, edit).URL != "https://new.example/" {
		t.Errorf("update: got %d %s", edit.status, edit.body)
	}
}

// What is ignored may be anything: it isn't ours to judge.
func TestIgnoredFields(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	for _, value := range []string{`null`, `""`, `"Unsubscribed"`, `5`, `{}`} {
		if got := h.must("subscribe", body("subscribe", "status", value)).Status; got != "Subscribed" {
			t.Errorf("subscribe with status %s: got %s, want Subscribed", value, got)
		}
		if got := h.must("unsubscribe",
			body("unsubscribe", "url", value)).URL; got != "https://endpoint.example/webhook" {
			t.Errorf("unsubscribe with url %s: got %s, want it unchanged", value, got)
		}
	}
}

// The samples of Airy's documentation and the course of its own controller test.
func TestAiryDocumentation(t *testing.T) {
	h := newHost(t, config{})
	info := `{"id":"` + id1 + `"}`
	subscribe := `{"id":"` + id1 +
		`","name":"webhook name","url":"http://example.org/webhook","headers":{"X-Auth":"auth token"},"events":["message.created"]}`
	update := strings.Replace(subscribe, `["message.created"]`,
		`["message.created", "message.updated"]`, 1)
	for _, step := range []struct {
		endpoint, body string
		status, events int
	}{
		{"info", info, http.StatusNotFound, 0},
		{"subscribe", subscribe, http.StatusOK, 1},
		{"update", update, http.StatusOK, 2},
		{"info", info, http.StatusOK, 2},
		{"unsubscribe", info, http.StatusOK, 2},
		{"subscribe", `{"url": "https://endpoint.com/webhook", "id": "` + id1 + `",
			"events": ["message.created", "message.updated", "conversation.updated", "channel.updated"],
			"headers": {"X-Custom-Header": "e.g. authentication token"},
			"signature_key": "secret-key-for-hmac-header"}`, http.StatusOK, 4},
	} {
		a := h.post(step.endpoint, step.body)
		if a.status != step.status {
			t.Fatalf("%s: got %d %s, want %d", step.endpoint, a.status, a.body, step.status)
		}
		if a.status == http.StatusOK && len(decode[webhook](t, a).Events) != step.events {
			t.Errorf("%s: got %s, want %d events", step.endpoint, a.body, step.events)
		}
	}
}
