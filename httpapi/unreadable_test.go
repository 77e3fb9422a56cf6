package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

// sealedHost returns a host whose store is sealed with a key of its own.
func sealedHost(t *testing.T, inner store.Store, key string) *host {
	t.Helper()
	s, err := sealed.New(inner, sealed.Key{ID: key, Secret: sealed.NewSecret()})
	if err != nil {
		t.Fatal(err)
	}
	return newHost(t, config{store: s})
}

// TestUnreadable goes through the endpoints for a webhook whose key is missing.
func TestUnreadable(t *testing.T) {
	inner := memstore.New()
	sealedHost(t, inner, "lost").prepare()
	h := sealedHost(t, inner, "present")
	h.must("subscribe", `{"id":"`+id2+`","url":"https://other.example/","headers":{"X-A":"1"}}`)
	kept, err := inner.Subscription(t.Context(), id1)
	if err != nil || kept.SealedWith != "lost" || len(kept.Headers) == 0 {
		t.Fatalf("stored: %+v, %v, want it sealed, with headers", kept, err)
	}

	listed := h.post("list", "{}")
	if got := decode[list](t, listed); len(got.Data) != 2 || !got.Data[0].Unreadable ||
		len(got.Data[0].Headers) != 0 || got.Data[1].Unreadable || got.Data[1].Headers["X-A"] != "1" {
		t.Errorf("list: got %s, want the first unreadable and the other whole", listed.body)
	}
	one := h.must("info", `{"id":"`+id1+`"}`)
	if !one.Unreadable || len(one.Headers) != 0 || one.URL != kept.URL {
		t.Errorf("info: got %+v, want it unreadable", one)
	}
	for _, sealed := range kept.Headers {
		if strings.Contains(listed.body, sealed) {
			t.Errorf("list: got %s, with ciphertext", listed.body)
		}
	}
	for _, test := range []struct{ endpoint, body string }{
		{"ping", `{"id":"ID"}`},
		{"rotate", `{"id":"ID"}`},
		{"update", `{"id":"ID","signature_key":"a new key for this one, of more than 24 bytes"}`},
		{"update", `{"id":"ID","headers":{"X-B":"2"}}`},
		{"update", `{"id":"ID","url":"https://other.example/"}`},
	} {
		a := h.post(test.endpoint, strings.ReplaceAll(test.body, "ID", id1))
		if a.status != http.StatusConflict || !strings.Contains(message(t, a), "anew") {
			t.Errorf("%s %s: got %d %s, want a 409 that says what to do", test.endpoint, test.body,
				a.status, a.body)
		}
	}
	if got := h.must("update", `{"id":"`+id1+`","name":"renamed"}`); *got.Name != "renamed" ||
		!got.Unreadable {
		t.Errorf("update of the name: got %+v, want the name and it unreadable", got)
	}
	if got := h.must("unsubscribe", `{"id":"`+id1+`"}`); got.Status != "Unsubscribed" {
		t.Errorf("unsubscribe: got %+v", got)
	}
	got := h.must("update", `{"id":"`+id1+`","status":"Subscribed","headers":{"X-B":"2"},`+
		`"signature_key":"a new key for this one, of more than 24 bytes"}`)
	if got.Unreadable || got.Headers["X-B"] != "2" || got.Status != "Subscribed" {
		t.Errorf("update of all values: got %+v, want it readable", got)
	}
	if a := h.post("ping", `{"id":"`+id1+`"}`); a.status != 200 {
		t.Errorf("ping after that: got %d %s, want 200", a.status, a.body)
	}
}

// TestUnreadableIsReplacedOrDeleted subscribes anew under the id of a webhook whose key is missing,
// and deletes such a one.
func TestUnreadableIsReplacedOrDeleted(t *testing.T) {
	inner := memstore.New()
	sealedHost(t, inner, "lost").prepare()
	if got := sealedHost(t, inner, "present").must("subscribe", example); got.Unreadable {
		t.Errorf("subscribe under its id: got %+v, want it readable", got)
	}
	h := sealedHost(t, inner, "another")
	if got := h.must("info", `{"id":"`+id1+`"}`); !got.Unreadable {
		t.Errorf("info: got %+v, want it unreadable", got)
	}
	if a := h.post("delete", `{"id":"`+id1+`"}`); a.status != 200 {
		t.Errorf("delete: got %d %s, want 200", a.status, a.body)
	}
	if got := decode[list](t, h.post("list", "{}")); len(got.Data) != 0 {
		t.Errorf("list after that: got %+v, want nothing", got)
	}
}
