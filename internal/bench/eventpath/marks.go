package eventpath

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// mark is a moment in the path of an event.
type mark int

const (
	published mark = iota // Publish was called
	enqueued              // the store was given it
	stored                // the store has said that it is on disk
	claiming              // the store was asked for what is due
	claimed               // it gave the event
	attempted             // a worker began the attempt
	answered              // the attempt was over
	finishing             // the store was given the outcome
	recorded              // the store has said that it is on disk
	marks                 // how many there are
)

// recorder notes when each event was where. It stands around the store and in the place of a
// Tracer, so that what it measures is as it is without it.
type recorder struct {
	mu     sync.Mutex
	events map[string]*[marks]time.Time
}

// note notes that events are at a mark now, or at the time at.
func (r *recorder) note(m mark, at time.Time, ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if r.events[id] == nil {
			r.events[id] = new([marks]time.Time)
		}
		r.events[id][m] = at
	}
}

// medians returns how long after Publish each mark was, in ms, at the median of the events that
// have come to the end.
func (r *recorder) medians() (after [marks]float64, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all [marks][]time.Duration
	for _, at := range r.events {
		if slices.ContainsFunc(at[:], time.Time.IsZero) {
			continue
		}
		n++
		for m := range at {
			all[m] = append(all[m], at[m].Sub(at[published]))
		}
	}
	for m, times := range all {
		if slices.Sort(times); n > 0 {
			after[m] = float64(times[n/2]) / float64(time.Millisecond)
		}
	}
	return after, n
}

// publisher returns Publish of a Dispatcher with the first mark.
func (r *recorder) publisher(d *dispatcher.Dispatcher) Publisher {
	return func(ctx context.Context, evs ...events.Event) error {
		r.note(published, time.Now(), idsOf(evs)...)
		return d.Publish(ctx, evs...)
	}
}

func idsOf(evs []events.Event) []string {
	ids := make([]string, len(evs))
	for i := range evs {
		ids[i] = evs[i].ID
	}
	return ids
}

// tracer returns a Tracer that marks attempts and traces nothing.
func (r *recorder) tracer() *dispatcher.Tracer {
	return &dispatcher.Tracer{Attempt: func(ctx context.Context, info dispatcher.Info) (
		context.Context, string, func(dispatcher.Info),
	) {
		r.note(attempted, time.Now(), info.EventID)
		return ctx, "", func(dispatcher.Info) { r.note(answered, time.Now(), info.EventID) }
	}}
}

// marked is a store whose calls are marked.
type marked struct {
	*boltstore.Store
	r *recorder
}

// Enqueue implements store.Queue.
func (s marked) Enqueue(ctx context.Context, evs ...events.Event) error {
	ids := idsOf(evs)
	s.r.note(enqueued, time.Now(), ids...)
	err := s.Store.Enqueue(ctx, evs...)
	s.r.note(stored, time.Now(), ids...)
	return err
}

// Claim implements store.Queue.
func (s marked) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	start := time.Now()
	got, err := s.Store.Claim(ctx, req)
	end := time.Now()
	for i := range got.Claims {
		s.r.note(claiming, start, got.Claims[i].EventID)
		s.r.note(claimed, end, got.Claims[i].EventID)
	}
	return got, err
}

// Finish implements store.Queue.
func (s marked) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	ids := make([]string, len(outcomes))
	for i := range outcomes {
		ids[i] = outcomes[i].Lease.EventID
	}
	s.r.note(finishing, time.Now(), ids...)
	results, err := s.Store.Finish(ctx, outcomes...)
	s.r.note(recorded, time.Now(), ids...)
	return results, err
}
