package check

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Driver is a store and short ways to use it. A call that fails where it must not is a violation
// and ends the rule.
type Driver struct {
	*Check
	Store  store.Store
	Reopen func()        // restarts the store; nil if it can't be
	Close  func() bool   // closes the store, and reports whether it can be closed
	Hosted *Hosted       // nil if the store enqueues in no host transactions
	Bound  time.Duration // how long one call may take
	Slow   bool          // each call goes to a server: tests make fewer of them
	Seals  bool          // SealedWith is the store's own
	Shards bool          // tenants are dealt to several stores

	subs, events atomic.Int64 // how many were made
}

// NewDriver returns a Driver of a store without a watchdog.
func NewDriver(s store.Store, realTime bool) *Driver {
	return &Driver{
		Check: newCheck(realTime),
		Store: s,
		Slow:  realTime,
		Close: func() bool { return CloseStore(s) },
	}
}

// NewSub returns a subscription that is not stored yet and wants events of the types.
func (c *Driver) NewSub(types ...string) store.Subscription {
	n := c.subs.Add(1)
	return store.Subscription{
		ID:     fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", n),
		URL:    fmt.Sprintf("https://endpoint.example/%d", n),
		Events: types,
		Status: store.Subscribed,
	}
}

// Subscribe stores a subscription that wants events of the types.
func (c *Driver) Subscribe(types ...string) store.Subscription {
	return c.Create(c.NewSub(types...))
}

// Create stores a subscription.
func (c *Driver) Create(sub store.Subscription) store.Subscription {
	sub, err := c.Store.CreateSubscription(c.Ctx(), sub)
	c.Must("CreateSubscription", err)
	return sub
}

// Update changes a stored subscription.
func (c *Driver) Update(id string, change func(*store.Subscription)) store.Subscription {
	sub, err := c.Store.UpdateSubscription(c.Ctx(), id, func(s *store.Subscription) error {
		change(s)
		return nil
	})
	c.Must("UpdateSubscription", err)
	return sub
}

// Unsubscribe and resubscribe change the status; a reason makes the subscription a disabled one.
func (c *Driver) Unsubscribe(id, reason string) store.Subscription {
	return c.Update(id, func(s *store.Subscription) {
		s.Status, s.DisabledReason = store.Unsubscribed, reason
	})
}

func (c *Driver) Resubscribe(id string) store.Subscription {
	return c.Update(id, func(s *store.Subscription) {
		s.Status, s.DisabledReason = store.Subscribed, ""
	})
}

// Event returns an event of the type that happens now.
func (c *Driver) Event(eventType string) events.Event {
	n := c.events.Add(1)
	return events.Event{
		ID:      fmt.Sprintf("event-%d", n),
		Type:    eventType,
		Time:    time.Now(),
		Payload: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

// message returns n events of the type that most rules use.
func (c *Driver) Messages(n int) []events.Event {
	evs := make([]events.Event, n)
	for i := range evs {
		evs[i] = c.Event("message.created")
	}
	return evs
}

// Enqueue stores events.
func (c *Driver) Enqueue(evs ...events.Event) {
	c.Must("Enqueue", c.Store.Enqueue(c.Ctx(), evs...))
}

// Publish enqueues n messages in one call and returns their IDs.
func (c *Driver) Publish(n int) []string {
	evs := c.Messages(n)
	c.Enqueue(evs...)
	return EventIDs(evs)
}

func EventIDs(evs []events.Event) []string {
	ids := make([]string, len(evs))
	for i, ev := range evs {
		ids[i] = ev.ID
	}
	return ids
}

// ClaimWith claims by the request; its Lease is long when it is zero.
func (c *Driver) ClaimWith(req store.ClaimRequest) store.ClaimResult {
	if req.Lease == 0 {
		req.Lease = c.Long
	}
	claims, err := c.Store.Claim(c.Ctx(), req)
	c.Must("Claim", err)
	for i := range claims.Claims {
		if cl := &claims.Claims[i]; cl.Subscription == nil || cl.Health == nil {
			c.Fatalf("Claim: got Subscription %v and Health %v, want neither to be nil",
				cl.Subscription, cl.Health)
		}
	}
	return claims
}

// Claim claims at most n deliveries, under no other limit.
func (c *Driver) Claim(n int) []store.Claim {
	return c.ClaimWith(store.ClaimRequest{Max: n}).Claims
}

// ClaimOne claims exactly one delivery; that there is no other is not checked.
func (c *Driver) ClaimOne() store.Claim {
	claims := c.Claim(1)
	if len(claims) != 1 {
		c.Fatalf("Claim of one: got %d claims, want 1", len(claims))
	}
	return claims[0]
}

// Claimed returns the IDs of the claimed events.
func Claimed(claims []store.Claim) []string {
	ids := make([]string, len(claims))
	for i, cl := range claims {
		ids[i] = cl.EventID
	}
	return ids
}

// PerSubscription counts claims.
func PerSubscription(claims []store.Claim) map[string]int {
	n := make(map[string]int)
	for _, cl := range claims {
		n[cl.SubscriptionID]++
	}
	return n
}

// PublishTo enqueues events of a type, which a rule has one subscription or a few for, and returns
// their IDs.
func (c *Driver) PublishTo(eventType string, n int) []string {
	evs := c.Messages(n)
	for i := range evs {
		evs[i].Type = eventType
	}
	c.Enqueue(evs...)
	return EventIDs(evs)
}

// Keyed enqueues an event for each key, in one call, and returns their IDs.
func (c *Driver) Keyed(keys ...string) []string {
	evs := make([]events.Event, len(keys))
	for i, key := range keys {
		evs[i] = c.Event("message.created")
		evs[i].Key = key
	}
	c.Enqueue(evs...)
	return EventIDs(evs)
}

// Next claims all there is and checks that it is the one wanted.
func (c *Driver) Next(what, wantID string) store.Claim {
	claims := c.Claim(100)
	if len(claims) != 1 || claims[0].EventID != wantID {
		c.Fatalf("%s: got claims %v, want [%s]", what, Claimed(claims), wantID)
	}
	return claims[0]
}

// Pause pauses a subscription, by a Claim of nothing.
func (c *Driver) Pause(id string, d time.Duration) {
	c.ClaimWith(store.ClaimRequest{Pauses: []store.Pause{{SubscriptionID: id, For: d}}})
}

// Traces as Event.Trace has them.
const (
	OneTrace     = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	AnotherTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// Full returns a subscription with something in each list and map.
func Full(c *Driver) store.Subscription {
	sub := c.NewSub("message.created")
	sub.Headers = map[string]string{"X-One": "1"}
	sub.Secrets = []signing.Secret{"key"}
	return sub
}

// NextDue returns the NextDue of a claim of none.
func (c *Driver) NextDue() time.Duration { return c.ClaimWith(store.ClaimRequest{}).NextDue }
