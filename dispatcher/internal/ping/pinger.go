package ping

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/dispatcher/internal/replay"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/dispatcher/internal/slots"
	"github.com/outhook/outhook/dispatcher/internal/verify"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Host is what a Pinger needs of the dispatcher. All is needed.
type Host struct {
	Store  store.Store
	Quotas *quota.Keeper
	Slots  *slots.Slots // of each tenant: pings that are under way
	Proofs *verify.Service
	Sender *send.Sender
	Logger *slog.Logger

	// Subscription returns a subscription by its ID in any spelling, Policy how its deliveries are
	// sent, and Types the types of the catalogue that its tenant may know of.
	Subscription func(ctx context.Context, id string) (store.Subscription, error)
	Policy       func(store.Subscription) (*send.Policy, error)
	Types        func(tenant string) []events.Type

	// Reached is told of an endpoint that has answered with success, Pinged of every ping.
	Reached func(*send.Result)
	Pinged  func(*store.Claim, *store.Attempt)
	Acted   func(context.Context, actor.Action)
}

// Pinger sends pings. It is safe for concurrent use.
type Pinger struct {
	Host
	sent *atomic.Uint64
}

// New returns a Pinger that counts in sent.
func New(h Host, sent *atomic.Uint64) *Pinger { return &Pinger{h, sent} }

// Ping sends an event of a type, whose payload is the ID of the subscription.
func (p *Pinger) Ping(ctx context.Context, id, eventType string) (store.Attempt, error) {
	return p.ping(ctx, id, func(store.Subscription) (string, json.RawMessage, error) {
		return eventType, nil, nil
	})
}

// Example sends the example of a type of the catalogue.
func (p *Pinger) Example(ctx context.Context, id, eventType string) (store.Attempt, error) {
	return p.ping(ctx, id, func(sub store.Subscription) (string, json.RawMessage, error) {
		example, err := Example(p.Types(sub.Tenant), eventType)
		return eventType, example, err
	})
}

// ping sends what of returns to a subscription.
func (p *Pinger) ping(
	ctx context.Context, id string,
	of func(store.Subscription) (eventType string, payload json.RawMessage, err error),
) (store.Attempt, error) {
	sub, err := p.Subscription(ctx, id)
	if err != nil {
		return store.Attempt{}, err
	}
	eventType, payload, err := of(sub)
	if err == nil {
		err = p.check(&sub)
	}
	if err != nil {
		return store.Attempt{}, err
	}
	claim, err := Claim(sub, eventType, payload)
	var policy *send.Policy
	if err == nil {
		policy, err = p.Policy(sub)
	}
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: ping: %w", err)
	}
	if err := p.Quotas.AllowPing(&sub); err != nil {
		return store.Attempt{}, err
	}
	leave, err := p.Slots.Enter(ctx, sub.Tenant)
	if err != nil {
		return store.Attempt{}, err
	}
	defer leave()
	r := p.Sender.Send(ctx, claim, policy, "")
	p.tell(ctx, claim, &r.Attempt)
	err = ctx.Err()
	if r.Attempt.Error == "" {
		p.Reached(&r)
		err = replay.Recovered(ctx, p.Store, sub.ID)
	}
	return r.Attempt, err
}

// check refuses a subscription that nothing can or may be sent to.
func (p *Pinger) check(sub *store.Subscription) error {
	switch {
	case sub.SealedWith != "":
		return send.SealedError(sub)
	case sub.URL == "":
		return check.NoURL("there is no endpoint to ping")
	case p.Proofs.Required() && !verify.Agreed(sub):
		return &events.InvalidError{Field: "id",
			Reason: "names a webhook whose endpoint has not agreed to get deliveries; verify it first"}
	}
	return nil
}

// tell counts a ping, and tells of it. It logs at Debug, failed or not: its owner has seen the
// answer.
func (p *Pinger) tell(ctx context.Context, c *store.Claim, a *store.Attempt) {
	p.sent.Add(1)
	p.Logger.LogAttrs(context.Background(), slog.LevelDebug, "outhook: ping sent",
		append(send.Attrs(c), send.ResultAttrs(a)...)...)
	p.Pinged(c, a)
	p.Acted(ctx, actor.Action{
		Kind: actor.Ping, Tenant: c.Tenant, SubscriptionID: c.SubscriptionID,
	})
}
