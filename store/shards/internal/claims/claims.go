package claims

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// Source is a store that is claimed from. It must be safe for concurrent use.
type Source interface {
	Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error)
	Release(ctx context.Context, leases ...store.Lease) error

	// ReleaseLater is Release for claims that are not handed out: it does not wait, and tries again if
	// the store fails.
	ReleaseLater(leases []store.Lease)

	// HasStirred reports whether there may be something new to claim since Asked was last called.
	HasStirred() bool
	Asked()

	// TakeTrouble returns trouble with something else than claims that the next Claim is to tell;
	// nil if there is none. It is told once.
	TakeTrouble() error

	// Wrap returns an error of the store with its name.
	Wrap(err error) error
}

// Config is what Claims works with. All of it is needed; the functions must be safe for concurrent
// use.
type Config struct {
	Calls *calls.Group // calls of the stores go on in it when they take long

	Wake func() // is told when there may be something to claim for another reason than Source.Ready

	// Find returns the index of the store that has a subscription, if that is known, and Found is
	// told when it is seen.
	Find  func(subscriptionID string) (i int, ok bool)
	Found func(subscriptionID string, i int)
}

// Claims claims from several stores. Make one with [New]. It is safe for concurrent use.
type Claims struct {
	Config
	claimers []*claimer // by the index of their store
	leases   leases
	limited  atomic.Bool // a limit that the stores share kept something back in the last Claim

	claiming chan struct{} // has one slot, for the Claim that is under way
	turns    []*claimer    // whose turn is next comes first; the holder of the slot's
}

// New returns Claims over stores. Their index is their place in sources.
func New(sources []Source, c Config) *Claims {
	cs := &Claims{Config: c, claiming: make(chan struct{}, 1)}
	for i, s := range sources {
		cs.claimers = append(cs.claimers, &claimer{Source: s, index: i})
	}
	cs.turns = slices.Clone(cs.claimers)
	return cs
}

// Claim implements Claim of store.Queue for a valid request. It returns an error if no store works.
func (cs *Claims) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	select {
	case cs.claiming <- struct{}{}:
		defer func() { <-cs.claiming }()
	case <-ctx.Done():
		return store.ClaimResult{}, ctx.Err()
	}
	r := &round{Claims: cs, req: req, parts: make([]part, len(cs.claimers))}
	return r.run(ctx)
}

// Changed says that a subscription of a store has changed, or all have if the ID is empty: claims
// that were made before are not handed out any more.
func (cs *Claims) Changed(i int, subscriptionID string) { cs.claimers[i].changed(subscriptionID) }

// StoreOf returns which store a lease is of that was handed out and has not ended; ok is false if
// it is not known.
func (cs *Claims) StoreOf(l store.Lease) (i int, ok bool) { return cs.leases.storeOf(l) }

// Ended says that leases have ended.
func (cs *Claims) Ended(leases []store.Lease) {
	for _, l := range leases {
		cs.leases.end(l)
	}
	// The room may be for another store, which has heard of nothing.
	if cs.limited.Load() {
		cs.Wake()
	}
}

// Close gives back what came late and was not handed out. It is called after Close of the group.
// It waits for a Claim that is under way, until ctx ends at the latest.
func (cs *Claims) Close(ctx context.Context) {
	select {
	case cs.claiming <- struct{}{}:
		defer func() { <-cs.claiming }()
	case <-ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWait)
	defer cancel()
	for _, c := range cs.claimers {
		if leases := c.takeHeld(); len(leases) > 0 {
			// The group is closed, and with it ReleaseLater.
			_, _ = calls.Guard(func() (struct{}, error) {
				return struct{}{}, c.Release(ctx, leases...)
			})
		}
	}
}
