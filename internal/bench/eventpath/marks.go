package eventpath

import (
	"context"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

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
	events map[string]*passage
}

// passage is when an event was where, and for how long the disk was written to and synced in each
// of the two commits that it waited for.
type passage struct {
	at                 [marks]time.Time
	storing, recording time.Duration
}

// note notes that events are at a mark now, or at the time at.
func (r *recorder) note(m mark, at time.Time, ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.of(id).at[m] = at
	}
}

// of returns the passage of an event. r.mu must be held.
func (r *recorder) of(id string) *passage {
	if r.events[id] == nil {
		r.events[id] = new(passage)
	}
	return r.events[id]
}

// disk notes how much of what some events waited for was the disk's.
func (r *recorder) disk(took time.Duration, of func(*passage) *time.Duration, ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		*of(r.of(id)) = took
	}
}

// medians are those of the events that have come to the end, in ms.
type medians struct {
	n                  int            // of events
	after              [marks]float64 // how long after Publish each mark was
	storing, recording float64        // how much of the commits was the disk's
}

func (r *recorder) medians() (m medians) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all [marks][]time.Duration
	var storing, recording []time.Duration
	for _, p := range r.events {
		if slices.ContainsFunc(p.at[:], time.Time.IsZero) {
			continue
		}
		m.n++
		for mark := range p.at {
			all[mark] = append(all[mark], p.at[mark].Sub(p.at[published]))
		}
		storing, recording = append(storing, p.storing), append(recording, p.recording)
	}
	for mark, times := range all {
		m.after[mark] = median(times)
	}
	m.storing, m.recording = median(storing), median(recording)
	return m
}

// median returns the median of times, in ms.
func median(times []time.Duration) float64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return float64(times[len(times)/2]) / float64(time.Millisecond)
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
	db *bolt.DB
	r  *recorder
}

// writing returns for how long the database has written and synced since it was opened.
func (s marked) writing() time.Duration {
	stats := s.db.Stats()
	return stats.TxStats.GetWriteTime()
}

// Enqueue implements store.Queue.
func (s marked) Enqueue(ctx context.Context, evs ...events.Event) error {
	ids := idsOf(evs)
	before, start := s.writing(), time.Now()
	s.r.note(enqueued, start, ids...)
	err := s.Store.Enqueue(ctx, evs...)
	end := time.Now()
	s.r.note(stored, end, ids...)
	disk := min(s.writing()-before, end.Sub(start)) // a commit may have begun before
	s.r.disk(disk, func(p *passage) *time.Duration { return &p.storing }, ids)
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
	before, start := s.writing(), time.Now()
	s.r.note(finishing, start, ids...)
	results, err := s.Store.Finish(ctx, outcomes...)
	end := time.Now()
	s.r.note(recorded, end, ids...)
	disk := min(s.writing()-before, end.Sub(start))
	s.r.disk(disk, func(p *passage) *time.Duration { return &p.recording }, ids)
	return results, err
}
