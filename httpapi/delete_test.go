package httpapi_test

import (
	"reflect"
	"testing"

	"github.com/outhook/outhook/store"
)

// What is deleted is gone with its history, and its id is free.
func TestDelete(t *testing.T) {
	h := newHost(t, config{})
	h.prepare()
	if a := h.post("delete", valid("delete")); a.status != 200 || a.body != `{}` {
		t.Errorf("got %d %s, want 200 {}", a.status, a.body)
	}
	for _, endpoint := range []string{"delete", "info", "stats", "attempts", "deliveries"} {
		if a := h.post(endpoint, valid(endpoint)); a.status != 404 {
			t.Errorf("%s after it: got %d %s, want 404", endpoint, a.status, a.body)
		}
	}
	if got := h.post("list", "").body; got != `{"data":[]}` {
		t.Errorf("list after it: got %s, want nothing", got)
	}
	h.must("subscribe", example)
	if got, want := h.deliveries(), (map[string]store.State{}); !reflect.DeepEqual(got, want) {
		t.Errorf("under the same id: got deliveries %v, want none", got)
	}
}
