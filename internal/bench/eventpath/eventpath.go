// Package eventpath measures where the time of an event goes between Publish and the outcome of its
// delivery on disk.
//
// What it measures is a Dispatcher on a boltstore, of which nothing is changed: the calls of the
// store are noted by a store around it, the beginning and end of an attempt by a Tracer, the
// arrival by the receiver, and what writing and syncing takes by bbolt itself. For that the
// database is the caller's (boltstore.New), so an event that comes alone is committed by the
// store's own goroutine, as all are that share a commit.
package eventpath

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// Step is a part of the path. Its times are in ms after Publish was called.
type Step struct {
	Name     string
	From, To float64
	Disk     float64 // how much of it, at its end, was writing and syncing the file
}

// Took returns how long the step took, in ms.
func (s Step) Took() float64 { return s.To - s.From }

// Path is what was measured.
type Path struct {
	Rate   int // events a second
	Events int // how many
	Steps  []Step
}

// Publisher is what takes events.
type Publisher func(ctx context.Context, evs ...events.Event) error

// Load says how events are published.
type Load struct {
	Rate, Events int
	// Publish publishes the events 0 to Events−1 to the function, Rate a second.
	Publish func(ctx context.Context, to Publisher) error
	// Warm opens connections before that, by some events that count for nothing.
	Warm func(ctx context.Context, to Publisher) error
}

// Measure runs a Dispatcher on a file in a folder that it makes in dir, and returns the medians of
// all events. It is an error if one did not arrive.
func Measure(ctx context.Context, dir string, to *receiver.Process, l Load) (p Path, err error) {
	folder, err := os.MkdirTemp(dir, "path-")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(folder)
	db, err := bolt.Open(filepath.Join(folder, "outhook.db"), 0o600,
		&bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	inner, err := boltstore.New(db, nil)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, inner.Close()) }()
	r := &recorder{events: make(map[string]*[marks]time.Time)}
	d, err := dispatcher.New(marked{inner, r}, &dispatcher.Options{
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:        slog.New(slog.DiscardHandler),
		Tracer:        r.tracer(),
	})
	if err != nil {
		return p, err
	}
	if _, err := d.Subscribe(ctx, store.Subscription{
		URL: to.Hook(0), Secrets: []signing.Secret{receiver.Secret},
	}); err != nil {
		return p, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	writing, arrival, err := deliver(ctx, db, to, l, d, r)
	stop()
	if err = errors.Join(err, <-ended); err != nil {
		return p, err
	}
	after, n := r.medians()
	if n < l.Events {
		return p, fmt.Errorf("%d events were seen on their whole path, not %d", n, l.Events)
	}
	return Path{Rate: l.Rate, Events: n, Steps: steps(after, arrival, writing)}, nil
}

// deliver has the load delivered. It returns how long a commit wrote and synced at the mean, and
// how long after Publish an event arrived at the median, both in ms.
func deliver(
	ctx context.Context, db *bolt.DB, to *receiver.Process, l Load, d *dispatcher.Dispatcher,
	r *recorder,
) (writing, arrival float64, err error) {
	if err := l.Warm(ctx, d.Publish); err != nil {
		return 0, 0, err
	}
	r.forget()
	if err := to.Expect(ctx, 1, l.Events); err != nil {
		return 0, 0, err
	}
	before, first := db.Stats(), transaction(db)
	if err := l.Publish(ctx, r.publisher(d)); err != nil {
		return 0, 0, err
	}
	if _, err := to.Wait(ctx); err != nil {
		return 0, 0, err
	}
	now, last := db.Stats(), transaction(db)
	wrote := now.TxStats.GetWriteTime() - before.TxStats.GetWriteTime()
	got, err := to.Judge(ctx)
	if err != nil {
		return 0, 0, err
	}
	return ms(wrote) / float64(max(last-first, 1)), ms(got.Latency[0].P50), nil
}

// forget forgets what was noted.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.events)
}

// transaction returns the number of the last transaction that has written.
func transaction(db *bolt.DB) (id int) {
	_ = db.View(func(tx *bolt.Tx) error { // which returns what the function does
		id = tx.ID()
		return nil
	})
	return id
}

// steps returns the path by its marks.
func steps(after [marks]float64, arrival, writing float64) []Step {
	due := min(after[stored], after[claiming])
	// A mean of all commits may be above the median of a step that holds one.
	disk := func(from, to mark) float64 { return min(writing, after[to]-after[from]) }
	return []Step{
		{"Publish checks the event", 0, after[enqueued], 0},
		{"stored, in a commit", after[enqueued], after[stored], disk(enqueued, stored)},
		{"Run wakes and claims it", due, after[claimed], 0},
		{"a worker takes it", after[claimed], after[attempted], 0},
		{"signed, sent over a kept connection", after[attempted], arrival, 0},
		{"answered, and the answer read", arrival, after[answered], 0},
		{"the outcome goes to the recorder", after[answered], after[finishing], 0},
		{
			"the outcome waits for others; a commit", after[finishing], after[recorded],
			disk(finishing, recorded),
		},
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
