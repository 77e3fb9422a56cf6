package pgstore_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// judge is the receiver of a test: it knows what was acknowledged and what arrived.
type judge struct {
	*httptest.Server
	mu      sync.Mutex // guards all below
	acked   map[string]bool
	arrived map[string][]string  // the attempts that arrived, by event
	at      map[string]time.Time // when the first of them did
	change  chan struct{}        // closed at the next change
}

func newJudge(t testing.TB) *judge {
	j := &judge{acked: map[string]bool{}, arrived: map[string][]string{},
		at: map[string]time.Time{}, change: make(chan struct{})}
	j.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the id is all that counts
		j.mu.Lock()
		id := r.Header.Get("webhook-id")
		if j.at[id].IsZero() {
			j.at[id] = time.Now()
		}
		j.arrived[id] = append(j.arrived[id], r.Header.Get("webhook-attempt"))
		j.changed()
		j.mu.Unlock()
	}))
	t.Cleanup(j.Close)
	return j
}

// changed is called with j.mu held.
func (j *judge) changed() {
	close(j.change)
	j.change = make(chan struct{})
}

func (j *judge) ack(ids ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range ids {
		j.acked[id] = true
	}
	j.changed()
}

// tally is how it stands.
type tally struct{ acked, missing, repeated, arrived int }

func (j *judge) tally() (n tally) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n.acked, n.arrived = len(j.acked), len(j.arrived)
	for id := range j.acked {
		if len(j.arrived[id]) == 0 {
			n.missing++
		}
	}
	for _, times := range j.arrived {
		n.repeated += len(times) - 1
	}
	return n
}

// has reports whether the event has arrived.
func (j *judge) has(id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.arrived[id]) > 0
}

// repeats returns which attempts arrived of the deliveries that were repeated.
func (j *judge) repeats() (attempts [][]string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, times := range j.arrived {
		if len(times) > 1 {
			attempts = append(attempts, times)
		}
	}
	return attempts
}

// progress is how long nothing may arrive or be acknowledged while a test waits for that: far
// longer than leases last, on a machine that has much else to do.
const progress = 3 * time.Minute

// await waits until the condition holds. It fails when nothing has changed for so long.
func (j *judge) await(t testing.TB, what string, limit time.Duration, ok func(tally) bool) tally {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		j.mu.Lock()
		change := j.change
		j.mu.Unlock()
		n := j.tally()
		if ok(n) {
			return n
		}
		select {
		case <-change:
			timer.Reset(limit)
		case <-timer.C:
			t.Fatalf("%s: nothing more within %v: %+v", what, limit, n)
		}
	}
}

func delivered(n tally) bool { return n.missing == 0 }
