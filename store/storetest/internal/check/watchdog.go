package check

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// watchdog sees that every call of a store ends. It lives outside the bubble of testing/synctest,
// in which time stands still while a call computes or waits for a lock, so it counts time by
// itself: in ticks, and a machine that is busy gets fewer of them.
type watchdog struct {
	what  string // what is tested
	bound time.Duration
	bite  func(hang string) // called once for each call that hangs

	ticks atomic.Int64

	mu    sync.Mutex // guards calls
	calls map[*watchedCall]bool

	ended chan struct{}
	wg    sync.WaitGroup
}

// watchedCall is a call that is under way.
type watchedCall struct {
	method string
	began  int64 // in ticks
	bitten bool
}

// tickTime is how long a tick is, when the machine is not busy.
const tickTime = 20 * time.Millisecond

// startWatchdog starts a watchdog, which end must stop. It must not be called in a bubble.
func startWatchdog(what string, bound time.Duration, bite func(hang string)) *watchdog {
	w := &watchdog{what: what, bound: bound, bite: bite, calls: make(map[*watchedCall]bool),
		ended: make(chan struct{})}
	if w.bite == nil {
		w.bite = kill
	}
	w.wg.Go(w.run)
	return w
}

// kill ends the process: a call that hangs can't be stopped, and what it holds may make everything
// else hang.
func kill(hang string) {
	buf := make([]byte, 1<<20)
	fmt.Fprintf(os.Stderr, "%s\n\n%s\n", hang, buf[:runtime.Stack(buf, true)])
	panic(hang)
}

func (w *watchdog) run() {
	ticker := time.NewTicker(tickTime)
	defer ticker.Stop()
	for {
		select {
		case <-w.ended:
			return
		case <-ticker.C:
		}
		now := w.ticks.Add(1)
		for _, c := range w.hanging(now) {
			w.bite(fmt.Sprintf("storetest: %s: %s has not returned within %v, "+
				"which no call may take", w.what, c, w.bound))
		}
	}
}

// hanging returns the methods of calls that have just turned out to hang.
func (w *watchdog) hanging(now int64) (methods []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.calls {
		if !c.bitten && time.Duration(now-c.began)*tickTime > w.bound {
			c.bitten = true
			methods = append(methods, c.method)
		}
	}
	return methods
}

// end stops the watchdog. It must not be called in a bubble.
func (w *watchdog) end() {
	close(w.ended)
	w.wg.Wait()
}

// call notes that a call begins, and returns what notes that it has ended.
func (w *watchdog) call(method string) (returned func()) {
	c := &watchedCall{method: method, began: w.ticks.Load()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[c] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.calls, c)
	}
}

// watched is a store whose calls a watchdog watches.
type watched struct {
	store.Store
	dog   *watchdog
	check *Check
}

// begin watches a call. In a bubble, where the time of a call is not the machine's but that of the
// timers that it waits for, it is seen here when that is too long.
func (s *watched) begin(method string) func() {
	began, returned := time.Now(), s.dog.call(method)
	return func() {
		returned()
		if took := time.Since(began); took > s.dog.bound {
			s.check.Errorf("%s: took %v, which is more than the %v that any call may", method, took,
				s.dog.bound)
		}
	}
}

func (s *watched) CreateSubscription(ctx context.Context,
	sub store.Subscription) (store.Subscription, error) {
	defer s.begin("CreateSubscription")()
	return s.Store.CreateSubscription(ctx, sub)
}

func (s *watched) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	defer s.begin("UpdateSubscription")()
	return s.Store.UpdateSubscription(ctx, id, change)
}

func (s *watched) DeleteSubscription(ctx context.Context, id string) error {
	defer s.begin("DeleteSubscription")()
	return s.Store.DeleteSubscription(ctx, id)
}

func (s *watched) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	defer s.begin("Subscription")()
	return s.Store.Subscription(ctx, id)
}

func (s *watched) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	defer s.begin("Subscriptions")()
	return s.Store.Subscriptions(ctx, q)
}

func (s *watched) Enqueue(ctx context.Context, evs ...events.Event) error {
	defer s.begin("Enqueue")()
	return s.Store.Enqueue(ctx, evs...)
}

func (s *watched) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	defer s.begin("Claim")()
	return s.Store.Claim(ctx, req)
}

func (s *watched) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	defer s.begin("Finish")()
	return s.Store.Finish(ctx, outcomes...)
}

func (s *watched) Release(ctx context.Context, leases ...store.Lease) error {
	defer s.begin("Release")()
	return s.Store.Release(ctx, leases...)
}

func (s *watched) Ready() <-chan struct{} {
	defer s.begin("Ready")()
	return s.Store.Ready()
}

func (s *watched) Deliveries(ctx context.Context,
	q store.DeliveryQuery) (store.Page[store.Delivery], error) {
	defer s.begin("Deliveries")()
	return s.Store.Deliveries(ctx, q)
}

func (s *watched) Event(ctx context.Context, tenant, eventID string) (store.StoredEvent, error) {
	defer s.begin("Event")()
	return s.Store.Event(ctx, tenant, eventID)
}

func (s *watched) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt,
	error) {
	defer s.begin("Attempts")()
	return s.Store.Attempts(ctx, subscriptionID, eventID)
}

func (s *watched) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	defer s.begin("Requeue")()
	return s.Store.Requeue(ctx, q)
}

func (s *watched) Recovered(ctx context.Context, subscriptionID string) error {
	defer s.begin("Recovered")()
	return s.Store.Recovered(ctx, subscriptionID)
}

func (s *watched) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	defer s.begin("ProbeNow")()
	return s.Store.ProbeNow(ctx, subscriptionIDs...)
}

func (s *watched) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	defer s.begin("Erase")()
	return s.Store.Erase(ctx, q)
}

func (s *watched) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	defer s.begin("Prune")()
	return s.Store.Prune(ctx, r)
}

func (s *watched) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	defer s.begin("CountPending")()
	return s.Store.CountPending(ctx, tenant, limit)
}

func (s *watched) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	defer s.begin("Stats")()
	return s.Store.Stats(ctx, subscriptionID)
}

func (s *watched) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	defer s.begin("Figures")()
	return s.Store.Figures(ctx, q)
}
