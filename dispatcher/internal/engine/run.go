package engine

import (
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// run is the state of one call of Run.
type run struct {
	*Engine
	ready <-chan struct{} // the store's

	// These are claimLoop's alone.
	policies *policies      // nil if all subscriptions have that of the Config
	limiter  *limiter       // of their rates
	pauses   pauses         // that the store is to be told of
	limits   map[string]int // and how many may be leased at once, by subscription
	timer    *time.Timer    // of wait; nil until it is needed
	kept     screened       // the memory of the last one, for the next

	attempts context.Context // ends when attempts are cut off
	cut      context.CancelFunc
	rest     context.Context // ends when the store is given up on; it outlives attempts
	giveUp   context.CancelFunc

	work     chan *ticket // to workers that wait
	workers  sync.WaitGroup
	nworkers int // how many there are, at most Concurrency; claimLoop's alone
	outcomes chan recorded
	others   sync.WaitGroup // the recorder, with the Listener, and the maintenance

	stopMaintenance context.CancelFunc
}

// recorded is an outcome on its way to the store.
type recorded struct {
	attempted
	outcome store.Outcome
}

// attempted is what an outcome is of.
type attempted struct {
	claim *store.Claim
	asked send.Control // what the endpoint has asked for
}

// Run delivers until ctx ends. Then it claims no more, lets running attempts finish for up to
// DrainTimeout, cuts the rest off and releases their claims, records what is to be recorded, and
// returns nil. It returns store.ErrClosed as soon as a call of the store does; any other trouble
// with the store is logged and tried again. It must not be called again before it has returned.
func (e *Engine) Run(ctx context.Context) error {
	r := newRun(ctx, e)
	defer r.cut()
	err := r.claimLoop(ctx)
	r.drain()
	return err
}

// newRun starts everything but the workers, which are started as they are needed.
func newRun(ctx context.Context, e *Engine) *run {
	r := &run{
		Engine:   e,
		ready:    e.Store.Ready(),
		policies: newPolicies(e.Policy, e.PerSubscription, e.Concurrency, e.Logger),
		limiter:  newLimiter(),
		pauses:   make(pauses),
		limits:   make(map[string]int),
		work:     make(chan *ticket),
		outcomes: make(chan recorded, e.Concurrency),
	}
	// What runs when ctx ends is not cut off by that, but by drain, in its order.
	ended := context.WithoutCancel(ctx)
	r.attempts, r.cut = context.WithCancel(ended)
	r.rest, r.giveUp = context.WithCancel(ended)
	maintenance, stop := context.WithCancel(ctx)
	r.stopMaintenance = stop
	e.outage.reset()
	// Before the first goroutine that tells it something.
	stopListener := e.Listener.Start()
	r.others.Go(func() {
		r.recordLoop()
		stopListener(r.rest) // after the last outcome was told
	})
	r.others.Go(func() { r.maintain(maintenance) })
	return r
}

// drain ends what Run started. The order matters: workers hand their outcomes to the recorder, and
// the recorder tells the Listener.
func (r *run) drain() {
	// Both timers start now: attempts get grace, and the store gets storeGrace more. A store that
	// only fails keeps Run no longer than that.
	grace := max(r.DrainTimeout, 0)
	cut := time.AfterFunc(grace, r.cut)
	giveUp := time.AfterFunc(grace+storeGrace, r.giveUp)
	defer giveUp.Stop()
	defer cut.Stop()
	r.stopMaintenance()
	close(r.work) // nobody starts tickets any more: only claimLoop did
	r.workers.Wait()
	if r.policies != nil { // its calls are the host's, and run beside the workers
		r.policies.asker.wait()
	}
	close(r.outcomes) // nobody sends any more: only workers did
	r.others.Wait()
	r.giveUp()
	r.Sender.CloseIdleConnections()
}
