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
	Disk     float64 // in how much of it, most of it at its end, the file was written and synced
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
	r := &recorder{events: make(map[string]*passage)}
	d, err := dispatcher.New(marked{inner, db, r}, &dispatcher.Options{
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
	arrival, err := deliver(ctx, to, l, d, r)
	stop()
	if err = errors.Join(err, <-ended); err != nil {
		return p, err
	}
	m := r.medians()
	if m.n < l.Events {
		return p, fmt.Errorf("%d events were seen on their whole path, not %d", m.n, l.Events)
	}
	return Path{Rate: l.Rate, Events: m.n, Steps: m.steps(arrival)}, nil
}

// deliver has the load delivered, and returns how long after Publish an event arrived, in ms at the
// median.
func deliver(
	ctx context.Context, to *receiver.Process, l Load, d *dispatcher.Dispatcher, r *recorder,
) (arrival float64, err error) {
	if err := l.Warm(ctx, d.Publish); err != nil {
		return 0, err
	}
	r.forget()
	if err := to.Expect(ctx, 1, l.Events); err != nil {
		return 0, err
	}
	if err := l.Publish(ctx, r.publisher(d)); err != nil {
		return 0, err
	}
	if _, err := to.Wait(ctx); err != nil {
		return 0, err
	}
	got, err := to.Judge(ctx)
	if err != nil {
		return 0, err
	}
	return float64(got.Latency[0].P50) / float64(time.Millisecond), nil
}

// forget forgets what was noted.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.events)
}

// steps returns the path, on which an event has arrived after so many ms.
func (m *medians) steps(arrival float64) []Step {
	after := m.after
	due := min(after[stored], after[claiming])
	return []Step{
		{"Publish checks the event", 0, after[enqueued], 0},
		{"stored, in a commit", after[enqueued], after[stored], m.storing},
		{"Run wakes and claims it", due, after[claimed], 0},
		{"a worker takes it", after[claimed], after[attempted], 0},
		{"signed, sent over a kept connection", after[attempted], arrival, 0},
		{"answered, and the answer read", arrival, after[answered], 0},
		{"the outcome goes to the recorder", after[answered], after[finishing], 0},
		{"the outcome waits for others; a commit", after[finishing], after[recorded], m.recording},
	}
}
