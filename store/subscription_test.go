package store_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// A subscription's keys are in nothing that is printed, logged or encoded of it.
func TestKeysAreRedacted(t *testing.T) {
	const canary = "canary-of-a-key"
	sub := store.Subscription{
		ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", Secrets: []signing.Secret{canary, canary + "-2"},
	}
	for name, v := range map[string]any{
		"subscription": sub,
		"pointer":      &sub,
		"claim":        store.Claim{Subscription: &sub},
		"page":         store.Page[store.Subscription]{Items: []store.Subscription{sub}},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb, v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatalf("%s: json: %v", name, err)
		}
		if err := gob.NewEncoder(&out).Encode(v); err != nil {
			t.Fatalf("%s: gob: %v", name, err)
		}
		if text := out.String(); strings.Contains(text, canary) ||
			strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s: the key is in %q", name, text)
		}
	}
}

func TestSigned(t *testing.T) {
	for want, sub := range map[bool]store.Subscription{
		false: {}, true: {Secrets: []signing.Secret{"a key"}},
	} {
		if got := sub.Signed(); got != want {
			t.Errorf("Signed with %d keys = %t, want %t", len(sub.Secrets), got, want)
		}
	}
}
