package dispatcher_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func patterns(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("type.n%d", i)
	}
	return out
}

func whsec(n int) signing.Secret {
	return signing.Secret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)))
}

// Each bound, at it and one past it.
func TestSubscriptionBounds(t *testing.T) {
	type subscription = store.Subscription
	key := func(s signing.Secret) subscription { return subscription{Secrets: []signing.Secret{s}} }
	keys := []signing.Secret{"14 characters!"}
	for _, tt := range []struct {
		name, field string
		at, past    subscription
	}{
		{"name", "name", subscription{Name: strings.Repeat("n", 256)},
			subscription{Name: strings.Repeat("n", 257)}},
		{"name of several bytes a character", "name",
			subscription{Name: strings.Repeat("🔑", 256)}, subscription{Name: strings.Repeat("🔑", 257)}},
		{"events", "events", subscription{Events: patterns(256)}, subscription{Events: patterns(257)}},
		{"event", "events",
			subscription{Events: []string{strings.Repeat("e", 128)}},
			subscription{Events: []string{strings.Repeat("e", 129)}}},
		{"headers", "headers", subscription{Headers: manyHeaders(32)},
			subscription{Headers: manyHeaders(33)}},
		{"header value", "headers",
			subscription{Headers: map[string]string{"X": strings.Repeat("v", 4096)}},
			subscription{Headers: map[string]string{"X": strings.Repeat("v", 4097)}}},
		{"no key", "signature_key", subscription{}, key("")},
		{"short key", "signature_key", key("14 characters!"), key("13 characters")},
		{"long key", "signature_key", key(signing.Secret(strings.Repeat("k", 512))),
			key(signing.Secret(strings.Repeat("k", 513)))},
		{"long key of several bytes a character", "signature_key",
			key(signing.Secret(strings.Repeat("ü", 256))),
			key(signing.Secret(strings.Repeat("ü", 256) + "k"))},
		{"short whsec_", "signature_key", key(whsec(24)), key(whsec(23))},
		{"long whsec_", "signature_key", key(whsec(64)), key(whsec(65))},
		{"keys at once", "signature_key",
			subscription{Secrets: slices.Repeat(keys, dispatcher.MaxSecrets)},
			subscription{Secrets: slices.Repeat(keys, dispatcher.MaxSecrets+1)}},
	} {
		w := newWire(t, dispatcher.Options{})
		tt.at.URL, tt.past.URL = "https://example.com/", "https://example.com/"
		refusal(t, w, "past "+tt.name, tt.field, tt.past)
		if _, err := w.Subscribe(t.Context(), tt.at); err != nil {
			t.Errorf("at %s: %v", tt.name, err)
		}
	}
}

func TestSubscriptionFieldsRefused(t *testing.T) {
	w := newWire(t, dispatcher.Options{})
	for _, tt := range []struct {
		name, field string
		sub         store.Subscription
	}{
		{"name not UTF-8", "name", store.Subscription{Name: "\xff"}},
		{"event with two blanks", "events", store.Subscription{Events: []string{"message  created"}}},
		{"empty event", "events", store.Subscription{Events: []string{""}}},
		{"event with a star inside", "events", store.Subscription{Events: []string{"message.*.x"}}},
		{"whsec_ that is no base64", "signature_key",
			store.Subscription{Secrets: []signing.Secret{"whsec_!" + canary}}},
		{"key not UTF-8", "signature_key",
			store.Subscription{Secrets: []signing.Secret{canary + "\xff"}}},
		{"no UUID", "id", store.Subscription{ID: "mine"}},
		{"UUID in braces", "id", store.Subscription{ID: "{3e639566-29fa-450d-a59f-ae3c25d7260f}"}},
		{"UUID without dashes", "id", store.Subscription{ID: "3e63956629fa450da59fae3c25d7260f"}},
	} {
		tt.sub.URL = "https://example.com/"
		if reason := refusal(t, w, tt.name, tt.field, tt.sub); strings.Contains(reason, canary) {
			t.Errorf("%s: reason %q repeats a key", tt.name, reason)
		}
	}
}

func TestSubscriptionIsStoredInOneForm(t *testing.T) {
	w := newWire(t, dispatcher.Options{})
	got, err := w.Subscribe(t.Context(), store.Subscription{
		ID: "3E639566-29FA-450D-A59F-AE3C25D7260F", URL: "https://example.com/",
		Events: []string{"b", "a.*", "b"},
		Status: "anything",
	})
	if err != nil || got.ID != "3e639566-29fa-450d-a59f-ae3c25d7260f" ||
		!slices.Equal(got.Events, []string{"b", "a.*"}) ||
		got.Status != store.Subscribed {
		t.Errorf("Subscribe = %+v, %v; want a small ID, events without repetitions, Subscribed", got, err)
	}
}
