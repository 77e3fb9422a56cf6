package boltstore_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

func ev() events.Event {
	return events.Event{ID: uuid.Must(uuid.NewV7()).String(), Type: "message.created", Time: time.Now(), Payload: json.RawMessage(`{"x":"` + strings.Repeat("y", 440) + `"}`)}
}

func TestRatio(t *testing.T) {
	if os.Getenv("RATIO") == "" {
		t.Skip()
	}
	ctx := context.Background()
	s, _ := boltstore.Open(filepath.Join(t.TempDir(), "a.db"), nil)
	defer s.Close()
	sub := store.Subscription{ID: uuid.NewString(), URL: "https://x.example", Status: store.Subscribed}
	if _, err := s.CreateSubscription(ctx, sub); err != nil {
		t.Fatal(err)
	}
	raw, _ := bolt.Open(filepath.Join(t.TempDir(), "raw.db"), 0o600, &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	defer raw.Close()
	raw.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err })
	n := uint64(0)
	val := []byte(strings.Repeat("z", 512))
	put := func() {
		raw.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte("b"))
			b.FillPercent = 0.95
			n++
			return b.Put(binary.BigEndian.AppendUint64(nil, n), val)
		})
	}
	med := func(ds []time.Duration) time.Duration { slices.Sort(ds); return ds[len(ds)/2] }
	for range 5 {
		var a, b []time.Duration
		for range 300 {
			t0 := time.Now()
			put()
			a = append(a, time.Since(t0))
			e := ev()
			t0 = time.Now()
			s.Enqueue(ctx, e)
			b = append(b, time.Since(t0))
		}
		fmt.Printf("p50 raw put %v, enqueue %v, ratio %.2f\n", med(a), med(b), float64(med(b))/float64(med(a)))
	}
	for _, g := range []int{1, 16, 64, 256} {
		per := 3200 / g
		evs := make([][]events.Event, g)
		for i := range evs {
			for range per {
				evs[i] = append(evs[i], ev())
			}
		}
		before := s.DB().Stats()
		t0 := time.Now()
		var wg sync.WaitGroup
		for i := range g {
			wg.Go(func() {
				for _, e := range evs[i] {
					s.Enqueue(ctx, e)
				}
			})
		}
		wg.Wait()
		d := time.Since(t0)
		st := s.DB().Stats()
		df := st.Sub(&before)
		fmt.Printf("%d publishers: %.0f/s, page writes %d for %d events (%.1f)\n", g, float64(per*g)/d.Seconds(), df.TxStats.GetWrite(), per*g, float64(df.TxStats.GetWrite())/float64(per*g))
	}
}

func TestCycleCost(t *testing.T) {
	if os.Getenv("RATIO") == "" {
		t.Skip()
	}
	ctx := context.Background()
	s, _ := boltstore.Open(filepath.Join(t.TempDir(), "a.db"), nil)
	defer s.Close()
	s.CreateSubscription(ctx, store.Subscription{ID: uuid.NewString(), URL: "https://x.example", Status: store.Subscribed})
	s.DB().NoSync = true
	var te, tc, tf time.Duration
	const rounds = 300
	for range rounds {
		evs := make([]events.Event, 100)
		for i := range evs {
			evs[i] = ev()
		}
		t0 := time.Now()
		s.Enqueue(ctx, evs...)
		t1 := time.Now()
		c, _ := s.Claim(ctx, store.ClaimRequest{Max: 100, Lease: time.Minute, PerSubscription: 100})
		t2 := time.Now()
		var out []store.Outcome
		for _, cl := range c.Claims {
			out = append(out, store.Outcome{Lease: cl.Lease, State: store.Delivered, Attempt: store.Attempt{Number: 1, At: t0, Duration: time.Millisecond, Status: 200, Response: []byte("ok")}})
		}
		s.Finish(ctx, out...)
		t3 := time.Now()
		te += t1.Sub(t0)
		tc += t2.Sub(t1)
		tf += t3.Sub(t2)
	}
	fmt.Printf("nosync, per delivery: enqueue %v claim %v finish %v\n", te/(rounds*100), tc/(rounds*100), tf/(rounds*100))
}
