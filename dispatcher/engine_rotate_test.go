package dispatcher_test

import (
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// Of several who have seen the same state of a subscription, one rotates its key, however closely
// they come together.
func TestRotateSecretIf(t *testing.T) {
	file, err := boltstore.Open(filepath.Join(t.TempDir(), "outhook.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, s := range map[string]store.Store{"memstore": memstore.New(), "boltstore": file} {
		t.Run(name, func(t *testing.T) {
			d, err := dispatcher.New(s, &dispatcher.Options{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			seen, err := d.Subscribe(t.Context(), store.Subscription{
				URL: "https://a.example/", Secrets: []signing.Secret{signing.NewSecret()}})
			if err != nil {
				t.Fatal(err)
			}
			for round := range 4 {
				const people = 16
				errs := make([]error, people)
				var wg sync.WaitGroup
				start := make(chan struct{})
				for i := range people {
					wg.Go(func() {
						<-start
						_, errs[i] = d.RotateSecretIf(t.Context(), seen.ID, seen.UpdatedAt, "", time.Hour)
					})
				}
				close(start)
				wg.Wait()
				done := 0
				for _, err := range errs {
					if err == nil {
						done++
					} else if !errors.Is(err, store.ErrConflict) {
						t.Error(err)
					}
				}
				if seen, err = d.Subscription(t.Context(), seen.ID); err != nil ||
					len(seen.Secrets) != round+2 || done != 1 {
					t.Fatalf("round %d: got %d keys and %d rotations, %v; want one more, once", round,
						len(seen.Secrets), done, err)
				}
			}
		})
	}
	if _, err := (&dispatcher.Dispatcher{}).RotateSecretIf(t.Context(), "", time.Time{}, "",
		-1); err == nil {
		t.Error("an overlap of -1: got no error")
	}
}

// PingExample sends the example of a type as a ping is sent: signed, at once, and in no history.
func TestPingExample(t *testing.T) {
	d, r := dispatchertest.New(t, &dispatcher.Options{EventTypes: []events.Type{
		{Name: "order.created", Example: []byte(`{"order": 4711}`)}, {Name: "order.paid"},
	}})
	hook := r.Subscribe("order.paid")
	attempt, err := d.PingExample(t.Context(), hook.ID, "order.created")
	if err != nil || attempt.Status != http.StatusOK {
		t.Errorf("got %+v, %v, want the endpoint's 200", attempt, err)
	}
	got := hook.Next()
	if got.Type != "order.created" || string(got.Payload) != `{"order":4711}` || got.Attempt != 1 {
		t.Errorf("got %s %s, want the example", got.Type, got.Payload)
	}
	for _, eventType := range []string{"order.paid", "order.shipped", ""} {
		_, err := d.PingExample(t.Context(), hook.ID, eventType)
		if invalid := (*events.InvalidError)(nil); !errors.As(err, &invalid) ||
			invalid.Field != "event_type" {
			t.Errorf("%q: got %v, want an error about event_type", eventType, err)
		}
	}
	page, err := d.Deliveries(t.Context(), store.DeliveryQuery{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("got %v, %v, want no delivery", page.Items, err)
	}
}
