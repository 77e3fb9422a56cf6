package dispatcher_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestFaultPoisonedRecord damages stored records: what can't be read is never sent, and nothing else suffers.
func TestFaultPoisonedRecord(t *testing.T) {
	for _, bucket := range []string{"events", "deliveries", "subs", "health"} {
		t.Run(bucket, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outhook.db")
			synctest.Test(t, func(t *testing.T) { sendAroundPoison(t, path, bucket) })
		})
	}
}

func sendAroundPoison(t *testing.T, path, bucket string) {
	s := openBolt(t, path)
	e := newEngine(t, s, nil)
	e.subscribe("https://a.example/hook", "a.*")
	e.subscribe("https://b.example/hook", "b.*")
	e.status(http.StatusBadGateway) // so that there are records of deliveries and health
	e.run()
	var evs []events.Event
	for i := range 5 {
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
	e.restart(nil)
	e.run()
	pass(time.Hour)
	delivered := make(map[string]bool)
	for _, r := range e.seen("")[before:] {
		delivered[r.EventID] = true
		for _, ev := range evs {
			if body, _ := ev.Body(); ev.ID == r.EventID && r.Body != string(body) {
				t.Errorf("event %s was sent as %q, want %q", ev.ID, r.Body, body)
			}
		}
	}
	// The first record is of the first event, or of the subscription of every second one.
	for i, ev := range evs {
		mayFail := i == 0 || bucket == "subs" && i%2 == 0
		if !delivered[ev.ID] && !mayFail {
			t.Errorf("event %d was not delivered, though another's record was damaged", i)
		}
	}
	if bucket != "health" && len(delivered) == len(evs) {
		t.Error("all events were delivered, want the damaged one to be dead")
	}
	if fresh := e.publish("b.word", "after"); true {
		settle()
		e.wantState(fresh, store.Delivered)
	}
}

// poison flips a bit in the middle of the first record of a bucket.
func poison(t *testing.T, path, bucket string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(boltstore.DefaultBucket)).Bucket([]byte(bucket))
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
