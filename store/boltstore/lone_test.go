package boltstore_test

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// lone is one publisher, and a bare bbolt file to compare it with.
type lone struct {
	t       testing.TB
	bare    *bolt.DB
	store   *boltstore.Store
	payload string
	puts    uint64
}

var (
	bareOptions = &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType}
	bareBucket  = []byte("events")
)

// newLone returns one whose store has a file of its own, or is in a host's database.
func newLone(t testing.TB, own bool) *lone {
	l := &lone{t: t, payload: strings.Repeat("x", 512), bare: openBare(t)}
	err := l.bare.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(bareBucket)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if own {
		l.store, err = boltstore.Open(filepath.Join(t.TempDir(), "hooks.db"), nil)
	} else {
		l.store, err = boltstore.New(openBare(t), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.store.Close() })
	_, err = l.store.CreateSubscription(t.Context(), store.Subscription{
		ID:  "5ab5c81b-0000-4000-8000-000000000000",
		URL: "https://endpoint.example/webhook", Events: []string{"message.created"},
		Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openBare(t testing.TB) *bolt.DB {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "bare.db"), 0o600, bareOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// put puts as much as an event into the bare file, and returns how long that took.
func (l *lone) put() time.Duration {
	value := make([]byte, len(l.payload)+100)
	start := time.Now()
	err := l.bare.Update(func(tx *bolt.Tx) error {
		l.puts++
		return tx.Bucket(bareBucket).Put(binary.BigEndian.AppendUint64(nil, l.puts), value)
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return time.Since(start)
}

// publish enqueues an event, and returns how long that took.
func (l *lone) publish(ctx context.Context) time.Duration {
	ev, err := events.New("message.created", l.payload)
	if err != nil {
		l.t.Fatal(err)
	}
	start := time.Now()
	if err := l.store.Enqueue(ctx, ev); err != nil {
		l.t.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkLone compares what one publisher waits for with a put of the same size into a bare bbolt
// file. They take turns, so what else the machine does meets both.
func BenchmarkLone(b *testing.B) {
	for _, bench := range []struct {
		name string
		own  bool
	}{{"own file", true}, {"host's database", false}} {
		b.Run(bench.name, func(b *testing.B) {
			l := newLone(b, bench.own)
			var puts, publishes []time.Duration
			for b.Loop() {
				puts = append(puts, l.put())
				publishes = append(publishes, l.publish(b.Context()))
			}
			put, publish := middle(puts), middle(publishes)
			b.ReportMetric(float64(put.Microseconds()), "put-µs")
			b.ReportMetric(float64(publish.Microseconds()), "publish-µs")
			b.ReportMetric(float64(publish)/float64(put), "publish/put")
		})
	}
}

func middle(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}

// TestLonePublishWritesAsABarePut counts the writes and pages of commits. One publish in many also
// writes the IDs of those before it.
func TestLonePublishWritesAsABarePut(t *testing.T) {
	const n = 1000
	l := newLone(t, true)
	bare, ours := l.bare.Stats(), l.store.DB().Stats()
	for range n {
		l.put()
		l.publish(t.Context())
	}
	put, publish := writesSince(l.bare, bare), writesSince(l.store.DB(), ours)
	t.Logf("%d puts: %d writes; as many publishes: %d", n, put, publish)
	if most := put + put/10; publish > most {
		t.Errorf("%d publishes take %d writes, want at most %d: as many puts take %d",
			n, publish, most, put)
	}
}

// writesSince returns how many runs of pages were written.
func writesSince(db *bolt.DB, before bolt.Stats) int64 {
	now := db.Stats()
	diff := now.Sub(&before)
	return diff.TxStats.GetWrite()
}
