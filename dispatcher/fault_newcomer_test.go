package dispatcher_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestFaultNewcomer has new subscriptions come behind many that fail: each gets its first attempt
// within a second.
func TestFaultNewcomer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		count int
		each  int           // events pending for each
		after time.Duration // by when each has shown what it is
		bad   reply
	}{
		{"500 tarpits", 500, 10, 5 * time.Minute, reply{Delay: never}},
		{"thousands of dead ones", 10_000, 1, 30 * time.Second,
			reply{Err: errors.New("connection refused")}},
	} {
		t.Run(tt.name+" memstore", func(t *testing.T) {
			count := scaled(min(tt.count, 2000), tt.count)
			synctest.Test(t, func(t *testing.T) {
				beNewBehind(t, memstore.New(), count, tt.each, tt.after, tt.bad)
			})
		})
		t.Run(tt.name+" boltstore", func(t *testing.T) {
			path, count := filepath.Join(t.TempDir(), "outhook.db"), scaled(150, tt.count)
			synctest.Test(t, func(t *testing.T) {
				beNewBehind(t, openBolt(t, path), count, tt.each, tt.after, tt.bad)
			})
		})
	}
}

func beNewBehind(t *testing.T, s store.Store, count, each int, after time.Duration, bad reply) {
	e := newEngine(t, s, &dispatcher.Options{Quota: manySubscriptions})
	e.answers(func(r request) reply {
		if strings.Contains(r.URL, "new") {
			return reply{Status: 200, Delay: 50 * time.Millisecond}
		}
		return bad
	})
	for i := range count {
		e.subscribe(nthURL(i), "bad.*")
	}
	e.run()
	publishMany(t, e, "bad.things", each)
	pass(after)
	for i := range 10 {
		url := fmt.Sprintf("https://new-%d.example/hook", i)
		e.subscribe(url, fmt.Sprintf("new%d.*", i))
		published := time.Now()
		e.publish(fmt.Sprintf("new%d.word", i), 1)
		pass(7 * time.Second)
		rs := e.seen(url)
		if len(rs) != 1 {
			t.Fatalf("newcomer %d got %d requests, want 1", i, len(rs))
		}
		if d := rs[0].At.Sub(published); d > time.Second {
			t.Errorf("newcomer %d got its first attempt after %v, want a second at most", i, d)
		}
		if i%5 == 0 {
			publishMany(t, e, "bad.things", 1) // the others don't rest
		}
	}
}
