package recorder

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

const (
	// maxWaiting is how many calls of Finish wait for the store at a time, and slotWait how long
	// another waits to be one of them. A dispatcher makes a bounded number of calls at once, which
	// a slow store must not use up.
	maxWaiting = 16
	slotWait   = 250 * time.Millisecond

	recordWait  = 5 * time.Second // how long a Finish waits for the store
	releaseWait = time.Second     // and a Release, which costs no commit as a rule
)

// Store is what outcomes are recorded in.
type Store interface {
	Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error)
	Release(ctx context.Context, leases ...store.Lease) error
}

// Config is what a Recorder works with. All of it is needed; the functions must be safe for
// concurrent use.
type Config struct {
	Calls *calls.Group // its goroutines

	Wrap    func(error) error // says which store an error is of
	Trouble func(error)       // is told when the store has not taken outcomes
	Room    func()            // is told when it has taken what was kept
}

// Recorder records outcomes in one store. Make one with [New]. It is safe for concurrent use.
type Recorder struct {
	Config
	store   Store
	waiting chan struct{} // has maxWaiting slots
	kept    kept
}

// New returns a Recorder for a store.
func New(s Store, c Config) *Recorder {
	return &Recorder{Config: c, store: s, waiting: make(chan struct{}, maxWaiting)}
}

// Finish records outcomes. If the store fails or takes too long, they are kept and recorded later,
// and there are no results. It returns an error if the store works and says so, if too many are
// kept, or if ctx has ended; then the call may go on.
func (r *Recorder) Finish(ctx context.Context, outcomes []store.Outcome) ([]store.Result, error) {
	ok, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, r.keep(outcomes, nil)
	}
	defer func() { <-r.waiting }()
	done := make(chan calls.Answer[[]store.Result], 1) // nobody may be there to receive
	if !r.Calls.Start(func() {
		// Not with ctx: when its caller has left, the outcome must be recorded all the same.
		results, err := calls.Guard(func() ([]store.Result, error) {
			return r.store.Finish(r.Calls.Context(), outcomes...)
		})
		if err != nil && !calls.IsAnswer(err) {
			r.Trouble(err)
			results, err = nil, r.keep(outcomes, nil)
		}
		done <- calls.Answer[[]store.Result]{Out: results, Err: err}
	}) {
		return nil, store.ErrClosed
	}
	timer := time.NewTimer(recordWait)
	defer timer.Stop()
	select {
	case a := <-done:
		return a.Out, a.Err
	case <-timer.C:
		// Nothing is kept: the call goes on, and keeps them itself if it fails.
		r.Trouble(errSlowFinish)
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errSlowFinish = fmt.Errorf("a Finish has not returned for %v", recordWait)

// begin takes one of the slots of those that wait for the store; ok is false if there is none for
// too long.
func (r *Recorder) begin(ctx context.Context) (ok bool, err error) {
	select {
	case r.waiting <- struct{}{}: // as a rule, without a timer
		return true, nil
	default:
	}
	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	select {
	case r.waiting <- struct{}{}:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// ReleaseLater is Release for a caller that does not wait.
func (r *Recorder) ReleaseLater(leases []store.Lease) { r.startRelease(leases, func() {}) }

// startRelease begins to give leases back, and reports whether it does. It calls ended then.
func (r *Recorder) startRelease(leases []store.Lease, ended func()) bool {
	return r.Calls.Start(func() {
		defer ended()
		_, err := calls.Guard(func() (struct{}, error) {
			return struct{}{}, r.store.Release(r.Calls.Context(), leases...)
		})
		if err != nil {
			_ = r.keep(nil, leases) // if there are too many, they run out
		}
	})
}

// Release gives leases back. If the store fails, they are kept, and given back when it works again,
// or run out. It returns [store.ErrClosed] after Close, or the error of ctx.
func (r *Recorder) Release(ctx context.Context, leases []store.Lease) error {
	done := make(chan struct{})
	if !r.startRelease(leases, func() { close(done) }) {
		return store.ErrClosed
	}
	timer := time.NewTimer(releaseWait)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
