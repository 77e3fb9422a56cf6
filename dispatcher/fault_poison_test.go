package dispatcher_test

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestFaultPoisonedRecord damages stored records: what can't be read is never sent, and nothing
// else suffers.
func TestFaultPoisonedRecord(t *testing.T) {
	for bucket, kills := range map[string]bool{
		"events": true, "deliveries": true, "subscriptions": true, "bodies": true,
		"health": false, "attempt_counts": false, "subscription_patterns": false, "event_ids": false,
		"subscription_ids": false,
	} {
		t.Run(bucket, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outhook.db")
			synctest.Test(t, func(t *testing.T) { sendAroundPoison(t, path, bucket, kills) })
		})
	}
}

func sendAroundPoison(t *testing.T, path, bucket string, kills bool) {
	s := openBolt(t, path)
	o := &dispatcher.Options{Transform: func(_ context.Context, _ store.Subscription, _ events.Event,
		r *dispatcher.Request) error {
		r.Body = append(r.Body, " transformed"...) // so that there are records of bodies too
		return nil
	}}
	e := newEngine(t, s, o)
	e.subscribe("https://a.example/hook", "a.*")
	e.subscribe("https://b.example/hook", "b.*")
	e.status(http.StatusBadGateway) // so that there are records of deliveries and health
	e.run()
	var evs []events.Event
	for i := range 40 { // so that there are records of IDs too
		evs = append(evs, e.publish("a.word", i), e.publish("b.word", i))
	}
	pass(time.Second)
	e.stop()
	before := len(e.seen(""))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	poison(t, path, bucket)

	e.store = openBolt(t, path)
	e.status(200)
	e.restart(o)
	e.run()
	pass(time.Hour)
	delivered := make(map[string]bool)
	for _, r := range e.seen("")[before:] {
		delivered[r.EventID] = true
		for _, ev := range evs {
			if body, _ := ev.Body(); ev.ID == r.EventID && r.Body != string(body)+" transformed" {
				t.Errorf("event %s was sent as %q, want %q, transformed", ev.ID, r.Body, body)
			}
		}
	}
	// The first record is of the first event, or of the subscription of every second one.
	for i, ev := range evs {
		mayFail := i == 0 || bucket == "subscriptions" && i%2 == 0
		if !delivered[ev.ID] && !mayFail {
			t.Errorf("event %d was not delivered, though another's record was damaged", i)
		}
	}
	if all := len(delivered) == len(evs); all == kills {
		t.Errorf("%d of %d events were delivered, want the damaged one to be dead: %t", len(delivered),
			len(evs), kills)
	}
	if fresh := e.publish("b.word", "after"); true {
		settle()
		e.wantState(fresh, store.Delivered)
	}
}

// poison flips a bit in the middle of the first record of a bucket.
func poison(t *testing.T, path, bucket string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600,
		&bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(boltstore.DefaultName + "/" + bucket))
		k, v := b.Cursor().First()
		if k == nil {
			t.Fatalf("the bucket %q has no record", bucket)
		}
		v = bytes.Clone(v)
		v[len(v)/2] ^= 4
		return b.Put(bytes.Clone(k), v)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
