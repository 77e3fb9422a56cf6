package main

import (
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/signing/boltseen"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestReceiverTakesEachEventOnceAndOnlyIfSigned(t *testing.T) {
	key := signing.NewSecret()
	work := make(chan event, 10)
	seen, err := boltseen.Open(filepath.Join(t.TempDir(), "seen.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Close()
	server := httptest.NewServer(newHandler(key, seen, work))
	defer server.Close()
	s := memstore.New()
	d, err := dispatcher.New(s,
		&dispatcher.Options{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	go d.Run(t.Context())
	subscribe := func(key signing.Secret) store.Subscription {
		sub, err := d.Subscribe(t.Context(), store.Subscription{URL: server.URL + "/hook",
			Secrets: []signing.Secret{key}})
		if err != nil {
			t.Fatal(err)
		}
		return sub
	}
	subscribe(key)
	subscribe(key) // every event comes twice
	forged, err := d.Ping(t.Context(), subscribe("another key, made up").ID)
	if err != nil || forged.Status != 401 {
		t.Errorf("a delivery signed with another key was answered %d, %v; want 401", forged.Status, err)
	}
	var want []string
	for range 3 {
		e, err := events.New("order.created", "tea")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, e.ID)
		if err := d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	got := make(map[string]int)
	for range want {
		got[(<-work).ID]++
	}
	for _, id := range want {
		if got[id] != 1 {
			t.Errorf("%s was handed on %d times, want once", id, got[id])
		}
	}
	select {
	case e := <-work:
		t.Errorf("%s was handed on again", e.ID)
	default:
	}
}
