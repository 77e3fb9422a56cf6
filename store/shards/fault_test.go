package shards_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

var errDisk = errors.New("the disk is gone")

// harmed is a store whose calls something is done to first. An error of that is theirs.
type harmed struct {
	*memstore.Store
	mu   sync.Mutex
	harm func(ctx context.Context, method string) error
}

func newHarmed(harm func(ctx context.Context, method string) error) *harmed {
	return &harmed{Store: memstore.New(), harm: harm}
}

func (h *harmed) set(harm func(ctx context.Context, method string) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.harm = harm
}

func (h *harmed) before(ctx context.Context, method string) error {
	h.mu.Lock()
	harm := h.harm
	h.mu.Unlock()
	if harm == nil {
		return nil
	}
	return harm(ctx, method)
}

func (h *harmed) Enqueue(ctx context.Context, evs ...events.Event) error {
	if err := h.before(ctx, "Enqueue"); err != nil {
		return err
	}
	return h.Store.Enqueue(ctx, evs...)
}

func (h *harmed) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	if err := h.before(ctx, "Claim"); err != nil {
		return store.ClaimResult{}, err
	}
	return h.Store.Claim(ctx, req)
}

func (h *harmed) Finish(ctx context.Context, o ...store.Outcome) ([]store.Result, error) {
	if err := h.before(ctx, "Finish"); err != nil {
		return nil, err
	}
	return h.Store.Finish(ctx, o...)
}

func (h *harmed) Release(ctx context.Context, leases ...store.Lease) error {
	if err := h.before(ctx, "Release"); err != nil {
		return err
	}
	return h.Store.Release(ctx, leases...)
}

func (h *harmed) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	if err := h.before(ctx, "Subscription"); err != nil {
		return store.Subscription{}, err
	}
	return h.Store.Subscription(ctx, id)
}

func (h *harmed) Stats(ctx context.Context, id string) (store.Stats, error) {
	if err := h.before(ctx, "Stats"); err != nil {
		return store.Stats{}, err
	}
	return h.Store.Stats(ctx, id)
}

func (h *harmed) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	if err := h.before(ctx, "Figures"); err != nil {
		return store.Figures{}, err
	}
	return h.Store.Figures(ctx, q)
}

func (h *harmed) Prune(ctx context.Context, r store.Retention) (bool, error) {
	if err := h.before(ctx, "Prune"); err != nil {
		return false, err
	}
	return h.Store.Prune(ctx, r)
}

func (h *harmed) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	if err := h.before(ctx, "Deliveries"); err != nil {
		return store.Page[store.Delivery]{}, err
	}
	return h.Store.Deliveries(ctx, q)
}

func fails(context.Context, string) error { return errDisk }

// pair is a Store over one that is harmed and one that is well. Tenant "sick" is in the first,
// "well" in the second.
type pair struct {
	*testing.T
	*shards.Store
	sick *harmed
	well *memstore.Store
	n    int
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{T: t, sick: newHarmed(nil), well: memstore.New()}
	s, err := shards.New(func(tenant string) int {
		if tenant == "sick" {
			return 0
		}
		return 1
	}, p.sick, p.well)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p.Store = s
	return p
}

func (p *pair) subscribe(tenant string) store.Subscription {
	p.Helper()
	p.n++
	sub, err := p.CreateSubscription(p.Context(), store.Subscription{
		ID:     fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", p.n),
		Tenant: tenant, URL: "https://endpoint.example/", Status: store.Subscribed,
	})
	if err != nil {
		p.Fatal(err)
	}
	return sub
}

func (p *pair) event(tenant string) events.Event {
	p.n++
	ev, err := events.New("a.b", map[string]int{"n": p.n})
	if err != nil {
		p.Fatal(err)
	}
	ev.Tenant = tenant
	return ev
}

func (p *pair) publish(tenant string, n int) {
	p.Helper()
	for range n {
		if err := p.Enqueue(p.Context(), p.event(tenant)); err != nil {
			p.Fatal(err)
		}
	}
}

// claim claims, and returns how many of each tenant it got.
func (p *pair) claim(req store.ClaimRequest) (store.ClaimResult, map[string]int) {
	p.Helper()
	req.Lease = time.Minute
	got, err := p.Claim(p.Context(), req)
	if err != nil {
		p.Fatal(err)
	}
	n := make(map[string]int)
	for i := range got.Claims {
		n[got.Claims[i].Tenant]++
	}
	return got, n
}

func (p *pair) equal(what string, got, want any) {
	p.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// isOfShard checks that an error says which store is in trouble, and why.
func (p *pair) isOfShard(what string, err error) {
	p.Helper()
	if !isOf(err, 0) || !errors.Is(err, errDisk) {
		p.Errorf("%s: got error %v, want an *Error of store 0 with its reason", what, err)
	}
}

// isOf reports whether an error says that a store is in trouble.
func isOf(err error, shard int) bool {
	var of *shards.Error
	return errors.As(err, &of) && of.Shard == shard
}

func delivered(cl *store.Claim) store.Outcome {
	return store.Outcome{Lease: cl.Lease, State: store.Delivered, Attempt: store.Attempt{
		Number: cl.Attempt, At: time.Now(), Status: 200,
	}}
}
