package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// Run delivers until ctx ends. Then it claims no more, lets running attempts finish for up to Options.DrainTimeout, cuts
// the rest off and gives them back uncounted, records what is to be recorded, and returns nil. Every goroutine that it
// started has ended by then.
//
// It returns an error when it is running already, and store.ErrClosed when the store was closed under it; any other
// trouble with the store is logged and tried again.
func (d *Dispatcher) Run(ctx context.Context) error {
	if !d.running.CompareAndSwap(false, true) {
		return errors.New("dispatcher: Run is running already; one Dispatcher runs once at a time")
	}
	defer d.running.Store(false)
	r := newRun(ctx, d)
	defer r.cut()
	err := r.claimUntil(ctx)
	r.drain()
	return err
}

// run is the state of one call of Run.
//
//	claimUntil → start → worker: gate, send, outcome → finishLoop → store.Finish
type run struct {
	*Dispatcher
	ready   <-chan struct{}
	limiter *limiter // nil without Options.RateLimit

	attempts context.Context // ends when attempts are cut off
	cut      context.CancelFunc
	rest     context.Context // ends when the store is given up on; outlives attempts
	giveUp   context.CancelFunc

	work     chan claimed   // to workers that wait
	workers  sync.WaitGroup // at most Concurrency
	nworkers int            // touched by claimUntil only
	outcomes chan finished
	others   sync.WaitGroup // the finisher, with the notifier, and the housekeeper

	stopHousekeeping context.CancelFunc

	mu    sync.Mutex
	busy  int           // slots taken: claims whose attempt has not ended
	full  bool          // claimUntil waits for a slot
	freed chan struct{} // one slot: a worker slot that was waited for, or room in the limits of Claim, came free

	underWay map[string]int // attempts, by subscription
}

// claimed is a claim on its way to a worker.
type claimed struct {
	claim *store.Claim
	epoch uint64
}

// finished is an attempt on its way to the store.
type finished struct {
	claim   *store.Claim
	outcome store.Outcome
}

func newRun(ctx context.Context, d *Dispatcher) *run {
	r := &run{
		Dispatcher: d,
		ready:      d.store.Ready(),
		limiter:    newLimiter(&d.o),
		work:       make(chan claimed),
		outcomes:   make(chan finished, d.o.Concurrency),
		freed:      make(chan struct{}, 1),
		underWay:   make(map[string]int),
	}
	ended := context.WithoutCancel(ctx)
	r.attempts, r.cut = context.WithCancel(ended)
	r.rest, r.giveUp = context.WithCancel(ended)
	housekeeping, stop := context.WithCancel(ctx)
	r.stopHousekeeping = stop
	stopNotifier := d.observe.start()
	r.others.Go(func() {
		r.finishLoop()
		stopNotifier(r.rest)
	})
	r.others.Go(func() { r.housekeep(housekeeping) })
	return r
}

// claimUntil claims and starts attempts until ctx ends. It holds a slot for each claim before it claims.
func (r *run) claimUntil(ctx context.Context) error {
	var trouble retrier
	for ctx.Err() == nil {
		runtime.Gosched() // those who are about to make room can share the call
		free := r.free()
		if free == 0 {
			r.wait(ctx, store.NoneDue)
			continue
		}
		n, wait, err := r.claim(ctx, free)
		switch {
		case errors.Is(err, store.ErrClosed):
			return fmt.Errorf("dispatcher: run: %w", err)
		case err != nil && ctx.Err() == nil:
			r.storeTrouble("claim", err)
			trouble.wait(ctx)
		case err == nil:
			trouble.reset()
			if n < free {
				r.wait(ctx, wait)
			}
		}
	}
	return nil
}

// claim takes up to max deliveries and starts their attempts. wait is how long until more falls due.
func (r *run) claim(ctx context.Context, max int) (n int, wait time.Duration, err error) {
	epoch := r.gate.enter()
	unproven := (r.o.Concurrency + 1) / 2
	got, err := protect(func() (store.Claims, error) {
		return r.store.Claim(ctx, store.ClaimRequest{
			Max:             max,
			Lease:           r.o.Timeout + leaseSlack,
			PerSubscription: r.o.PerSubscription,
			Unproven:        unproven,
			Failing:         (3*unproven + 3) / 4,
			ProbeAfter:      BreakerThreshold,
		})
	})
	if err != nil {
		r.gate.claimed(0)
		return 0, 0, err
	}
	admitted, off := r.admit(got.Claims)
	r.gate.claimed(len(admitted))
	r.take(admitted)
	for _, c := range admitted { // each in memory of its own, lest a slow attempt keep the bodies of all
		r.start(claimed{&c, epoch})
	}
	return len(got.Claims), got.Wait, r.putOff(ctx, off)
}

// start hands a claim to a worker that waits, or to a new one.
func (r *run) start(c claimed) {
	select {
	case r.work <- c:
		return
	default:
	}
	if r.nworkers == r.o.Concurrency {
		r.work <- c // one has given its slot back and is about to wait
		return
	}
	r.nworkers++
	r.workers.Go(func() {
		r.attempt(c)
		for c := range r.work {
			r.attempt(c)
		}
	})
}

// attempt makes the attempt of a claim, unless its subscription has changed or Run is being cut off.
func (r *run) attempt(c claimed) {
	defer r.release(1)
	if !r.gate.pass(c.claim, c.epoch) || r.attempts.Err() != nil {
		r.giveBack(c.claim)
		return
	}
	if r.filtered(c.claim) {
		return
	}
	now := time.Now()
	r.observe.attemptStarted(c.claim, now)
	ctx, trace, span := r.startSpan(r.attempts, c.claim, store.Attempt{Number: c.claim.Attempt, At: now})
	a := r.sender.send(ctx, c.claim, trace)
	if r.attempts.Err() != nil && a.attempt.Status == 0 {
		span.over(&store.Outcome{Attempt: a.attempt, State: store.Pending})
		r.giveBack(c.claim)
		return
	}
	outcome := r.policy.outcome(c.claim, a)
	span.over(&outcome)
	r.ended(c.claim, outcome)
}

// ended hands on what came of an attempt.
func (r *run) ended(c *store.Claim, o store.Outcome) {
	r.counts.attempts.Add(1)
	r.logAttempt(c, &o.Attempt)
	r.handOn(c, o)
}

// handOn has an outcome recorded.
func (r *run) handOn(c *store.Claim, o store.Outcome) {
	r.over(c)
	r.outcomes <- finished{c, o}
}

// drain ends what Run started: first the attempts, then what records them.
func (r *run) drain() {
	grace := max(r.o.DrainTimeout, 0)
	cut := time.AfterFunc(grace, r.cut)
	giveUp := time.AfterFunc(grace+storeGrace, r.giveUp)
	defer giveUp.Stop()
	defer cut.Stop()
	r.stopHousekeeping()
	close(r.work)
	r.workers.Wait()
	close(r.outcomes)
	r.others.Wait()
	r.giveUp()
	if r.o.Transport == nil {
		r.sender.closeIdle()
	}
}

// wait returns when there may be something to claim: after d, when the store or a slot says so, or when ctx ends.
func (r *run) wait(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d != store.NoneDue {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-r.ready:
	case <-r.freed:
	case <-due:
	}
}
