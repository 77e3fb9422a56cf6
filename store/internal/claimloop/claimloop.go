// Package claimloop is what the Claims of all stores with a schedule have in common: the schedule
// chooses from memory, the store reads what was chosen, and some of it may turn out not to be
// claimable. Then it chooses again.
package claimloop

import (
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// MaxGoes bounds how often one Claim chooses. What is not claimable (an event that is damaged, a
// key that is blocked) may be what many deliveries have in common, and each go is a round trip.
const MaxGoes = 8

// Go is what one go has come to.
type Go struct {
	Claims  []store.Claim
	NextDue time.Duration
	Leased  store.Leased
	Again   bool // some of what was chosen was not claimable, so others may be
}

// Run makes a Claim of goes. Claims that an earlier go has made are returned beside the error of a
// later one: they are leased, so the caller must hand them out.
func Run(
	req store.ClaimRequest, one func(store.ClaimRequest) (Go, error),
) (result store.ClaimResult, err error) {
	result.NextDue = store.NoneDue
	most := req.Max
	for goes := 1; ; goes++ {
		req.Max = most - len(result.Claims)
		g, err := one(req)
		result.Leased = g.Leased
		if len(result.Claims) == 0 {
			result.Claims = g.Claims
		} else {
			result.Claims = append(result.Claims, g.Claims...)
		}
		if err != nil {
			result.NextDue = 0 // nobody knows: the caller asks again
			return result, err
		}
		result.NextDue = g.NextDue // the last go knows most
		// Of what is claimable besides, the next Claim learns.
		full := most > 0 && len(result.Claims) >= most
		if !g.Again || full {
			return result, nil
		}
		if goes == MaxGoes {
			result.NextDue = 0 // there may be more
			return result, nil
		}
	}
}

// Chooser has a schedule choose. One claim chooses at a time: another would find the schedule
// without what the first is loading, and come away with less than there is.
type Chooser[S, L any] struct {
	Mu       sync.Locker // guards Schedule
	Schedule *schedule.Schedule[S, L]

	// Load reads what the schedule lacks, and hands it over. It is called without Mu: reading takes
	// long, and the schedule remembers what changes meanwhile.
	Load func(context.Context, []schedule.Lack) error
}

// Choose leases what is to be claimed, at a time of the store's. It calls chosen in the critical
// section in which the last of it is leased.
//
// The round is in *round as soon as it has leases, so that the caller can give them up even after a
// panic, which reading a damaged file may end in.
func (c *Chooser[S, L]) Choose(
	ctx context.Context, req *store.ClaimRequest, now func() int64,
	round **schedule.Round[S, L], chosen func(),
) error {
	for {
		lacks := c.step(req, now, round, chosen)
		if len(lacks) == 0 {
			return nil
		}
		if err := c.Load(ctx, lacks); err != nil {
			return err
		}
	}
}

// step goes on with the round until it is done, or returns what the schedule lacks for it.
func (c *Chooser[S, L]) step(
	req *store.ClaimRequest, now func() int64, round **schedule.Round[S, L], chosen func(),
) []schedule.Lack {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	if *round == nil {
		*round = c.Schedule.Round(req, now())
	}
	lacks := (*round).Run()
	// What this call has made claimable it has taken, or its caller knows that there is more.
	c.Schedule.TakeWake()
	if len(lacks) == 0 {
		chosen()
	}
	return lacks
}

// Complete sets what a claim has of the schedule. It keeps sub and health, which are never changed
// in place.
func Complete(
	c *store.Claim,
	req *store.ClaimRequest,
	sub *store.Subscription,
	health *store.Health,
) {
	c.Subscription, c.Health = sub, health
	c.Probe = req.IsProbe(health)
}
