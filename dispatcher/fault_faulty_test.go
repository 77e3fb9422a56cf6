package dispatcher_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// faultKind is what a faulty store does to a call.
type faultKind string

const (
	faultBefore faultKind = "fails before the work"
	faultAfter  faultKind = "fails after the work"
	faultDelay  faultKind = "delays"
	faultPanic  faultKind = "panics"
	faultStale  faultKind = "hands out stale claims"
)

// faultyStore does harm to the k-th call of a method, and to as many after it as it is told to.
type faultyStore struct {
	store.Store
	method string
	kind   faultKind
	k, run int

	mu    sync.Mutex
	calls map[string]int
	hits  int
	stale store.ClaimResult // what the last Claim gave that gave something
}

// hit counts a call and reports whether harm is to be done to it.
func (s *faultyStore) hit(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	n := s.calls[method]
	hit := method == s.method && n >= s.k && n < s.k+s.run
	if hit {
		s.hits++
	}
	return hit
}

func through[T any](s *faultyStore, method string, work func() (T, error)) (out T, err error) {
	if !s.hit(method) {
		return work()
	}
	switch s.kind {
	case faultBefore:
		return out, errDisk
	case faultAfter:
		if _, err := work(); err != nil {
			return out, err
		}
		return out, errDisk
	case faultPanic:
		panic("the store panics")
	case faultDelay:
		<-time.After(5 * time.Second)
	}
	return work()
}

// throughStep is through for one step of many.
func throughStep(s *faultyStore, method string, work func() (int, string, error)) (n int,
	next string, err error) {
	_, err = through(s, method, func() (_ struct{}, err error) {
		n, next, err = work()
		return struct{}{}, err
	})
	if err != nil {
		return 0, "", err
	}
	return n, next, nil
}

func (s *faultyStore) Enqueue(ctx ctx, evs ...events.Event) error {
	_, err := through(s, "Enqueue", func() (struct{}, error) {
		return struct{}{}, s.Store.Enqueue(ctx, evs...)
	})
	return err
}

func (s *faultyStore) Claim(ctx ctx, req store.ClaimRequest) (store.ClaimResult, error) {
	return through(s, "Claim", func() (store.ClaimResult, error) {
		s.mu.Lock()
		stale := s.stale
		hit := s.kind == faultStale && s.calls["Claim"] >= s.k && s.calls["Claim"] < s.k+s.run
		s.mu.Unlock()
		if hit {
			stale.Claims = stale.Claims[:min(len(stale.Claims), req.Max)]
			return stale, nil
		}
		claims, err := s.Store.Claim(ctx, req)
		if len(claims.Claims) > 0 {
			s.mu.Lock()
			s.stale = claims
			s.mu.Unlock()
		}
		return claims, err
	})
}

func (s *faultyStore) Finish(ctx ctx, outcomes ...store.Outcome) ([]store.Result, error) {
	return through(s, "Finish", func() ([]store.Result, error) {
		return s.Store.Finish(ctx, outcomes...)
	})
}

func (s *faultyStore) Release(ctx ctx, leases ...store.Lease) error {
	_, err := through(s, "Release", func() (struct{}, error) {
		return struct{}{}, s.Store.Release(ctx, leases...)
	})
	return err
}

func (s *faultyStore) UpdateSubscription(ctx ctx, id string,
	change func(*store.Subscription) error) (store.Subscription, error) {
	return through(s, "UpdateSubscription", func() (store.Subscription, error) {
		return s.Store.UpdateSubscription(ctx, id, change)
	})
}

func (s *faultyStore) Requeue(ctx ctx, q store.DeliveryQuery) (store.RequeueResult, error) {
	return through(s, "Requeue", func() (store.RequeueResult, error) {
		return s.Store.Requeue(ctx, q)
	})
}

func (s *faultyStore) Recovered(ctx ctx, id string) error {
	_, err := through(s, "Recovered", func() (struct{}, error) {
		return struct{}{}, s.Store.Recovered(ctx, id)
	})
	return err
}

func (s *faultyStore) ProbeNow(ctx ctx, ids ...string) error {
	_, err := through(s, "ProbeNow", func() (struct{}, error) {
		return struct{}{}, s.Store.ProbeNow(ctx, ids...)
	})
	return err
}

func (s *faultyStore) Erase(ctx ctx, q store.EraseQuery) (int, string, error) {
	return throughStep(s, "Erase", func() (int, string, error) { return s.Store.Erase(ctx, q) })
}

func (s *faultyStore) Prune(ctx ctx, r store.Retention) (bool, error) {
	return through(s, "Prune", func() (bool, error) { return s.Store.Prune(ctx, r) })
}

func (s *faultyStore) String() string {
	return fmt.Sprintf("%s %s, from call %d to %d", s.method, s.kind, s.k, s.k+s.run-1)
}
