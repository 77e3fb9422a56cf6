package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

const (
	// step is how many records one page, one Claim and one transaction have. Their bodies are in
	// memory at once.
	step = 500

	// lease is how long what is taken out of the other store is leased there: far longer than a
	// step takes, so that nobody claims what is being moved.
	lease = time.Hour
)

// Moved says what an import has moved.
type Moved struct {
	Subscriptions int // all that the other store has
	Deliveries    int // pending ones that were not here yet
	Finished      int // and finished ones
}

// delivery names one without its token.
type delivery struct{ subscriptionID, eventID string }

// event names one: an ID is its tenant's.
type event struct{ tenant, id string }

// importer is an import under way. One goroutine uses it. It embeds the replica that imports, which
// need not own any share: what it stores are rows, with notices to the owners.
type importer struct {
	*replica.Replica
	from     store.Store
	done     Moved
	progress func(Moved)

	held    []string               // subscriptions that wait for a probe, or are paced
	paused  []string               // and those that are withheld for another reason
	numbers []int64                // reserved for the events of the history
	seqs    map[event]int64        // the number here of each event with something pending
	due     map[delivery]time.Time // of those that are not due yet
}

// Import moves everything, and calls progress with what it has moved so far. It returns that beside
// an error too.
func Import(
	ctx context.Context, r *replica.Replica, from store.Store, progress func(Moved),
) (Moved, error) {
	im := importer{
		Replica: r, from: from, progress: progress,
		seqs: make(map[event]int64), due: make(map[delivery]time.Time),
	}
	// The order matters. Deliveries name their subscriptions, so these come first, with the health
	// that makeDue then resets in the other store. The due times are read before makeDue, which
	// changes them. Numbers are reserved for the history before those for what is pending: it is
	// older. It is copied last, as somebody waits for what is pending, and as it may lack bodies:
	// then it stores events as erased ones, and a pending delivery is not added to these.
	for _, do := range []func(context.Context) error{
		im.subscriptions, im.room, im.order, im.makeDue, im.deliveries, im.history,
	} {
		if err := do(ctx); err != nil {
			return im.done, err
		}
	}
	// The statements have written notices. Owners need not wait for their next poll.
	im.AfterNotices(ctx)
	return im.done, nil
}

// subscriptions copies the subscriptions with their health. Those that are here already are left as
// they are: this store may be in use, and after an interruption the other one has the health that
// makeDue has reset.
func (im *importer) subscriptions(ctx context.Context) error {
	q := store.SubscriptionQuery{AnyTenant: true, Limit: step}
	for {
		page, err := im.from.Subscriptions(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := im.subscription(ctx, &page.Items[i]); err != nil {
				return fmt.Errorf("subscription %s: %w", page.Items[i].ID, err)
			}
		}
		im.done.Subscriptions += len(page.Items)
		im.progress(im.done)
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

// subscription copies one, and notes in held and paused whether anything keeps the subscription
// back in the other store.
func (im *importer) subscription(ctx context.Context, sub *store.Subscription) error {
	stats, err := im.from.Stats(ctx, sub.ID)
	if err != nil {
		return err
	}
	h := stats.Health
	// By this machine's clock, which need not be the other store's. Too many in held do no harm but
	// to the health of the other store, and what is missed there deliveries reports as still
	// pending.
	if h.NextProbeAt.After(time.Now()) || h.HeldUntil.After(time.Now()) || h.Pace > 0 {
		im.held = append(im.held, sub.ID)
	}
	if sub.Collects() && sub.Withheld() != "" {
		im.paused = append(im.paused, sub.ID)
	}
	err = im.store(ctx, []string{sub.Tenant}, func(b *sqltx.Batch) {
		b.Queue(im.SQL.ImportSubscription, record.Whole(sub, &h)...)
	})
	return replica.InputError("subscription", err)
}

// store stores something of some tenants. It fails if one of them is closed: what was moved to
// another store would come back, and half of it.
//
// Plain waits for the disk, and for a standby if there is one.
func (im *importer) store(
	ctx context.Context, tenants []string, fill func(*sqltx.Batch),
) error {
	slices.Sort(tenants)
	return im.DB.Write(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		for _, tenant := range slices.Compact(tenants) {
			im.QueueSettled(b, tenant)
		}
		im.QueueTimes(b)
		fill(b)
	})
}

// order reads in which order the events go, and what is due later, and reserves their numbers.
// Claim hands out what is fair, and not what is oldest, so the order can't be taken from it.
func (im *importer) order(ctx context.Context) error {
	var newestFirst []event
	seen := make(map[event]bool)
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}, Limit: step}
	for {
		page, err := im.from.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Items {
			d := &page.Items[i]
			// An event is listed once for each recipient, and has one number.
			if e := (event{d.Tenant, d.EventID}); !seen[e] {
				seen[e] = true
				newestFirst = append(newestFirst, e)
			}
			// Only what is not due is noted. The rest is due at once, which needs no entry.
			if d.DueAt.After(time.Now()) {
				im.due[delivery{d.SubscriptionID, d.EventID}] = d.DueAt
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	// All in one statement, before anything is stored: an event that is published here meanwhile
	// gets a higher number, and so comes after all that is moved. Numbers that stay unused are
	// gaps, which are allowed. An import that is called again draws new ones, so it puts what is
	// left after what the first has moved.
	seqs, err := im.reserve(ctx, len(newestFirst))
	if err != nil {
		return err
	}
	// The numbers ascend and the events descend: the last, the oldest, gets the first number.
	for i, e := range slices.Backward(newestFirst) {
		im.seqs[e] = seqs[len(newestFirst)-1-i]
	}
	return nil
}

// makeDue makes everything claimable in the other store: it ends what keeps a subscription back,
// and what waits for a retry is due at once. Claim returns nothing of a subscription that is held
// or paused, and one delivery at a time of one that is paced, so without this an import would take
// as long as the endpoints' holds, or would not end. It runs after their status, their health and
// the due times are safe here or in memory.
func (im *importer) makeDue(ctx context.Context) error {
	if err := im.freeSubscriptions(ctx); err != nil {
		return err
	}
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}, Limit: step}
	// The Requeue of pending deliveries leaves their Retry as it is, which goes with them.
	for {
		result, err := im.from.Requeue(ctx, q)
		if err != nil || result.Next == "" {
			return err
		}
		q.Cursor = result.Next
	}
}

// freeSubscriptions ends what keeps subscriptions back in the other store. Here they stay as they
// were: they are stored by now, and an import that is called again leaves them.
func (im *importer) freeSubscriptions(ctx context.Context) error {
	for _, id := range im.paused {
		if _, err := im.from.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
			sub.Status = store.Subscribed
			if sub.URL == "" { // it was read by poll; here it stays so
				sub.URL = "https://moved.invalid/"
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for _, id := range im.held {
		var url string
		// A crash between the two leaves the other URL in the other store only; it is stored here
		// already.
		for _, change := range []func(*store.Subscription) error{
			// Another URL begins anew, also if the old one is back at once.
			func(sub *store.Subscription) error { url = sub.URL; sub.URL += "#"; return nil },
			func(sub *store.Subscription) error { sub.URL = url; return nil },
		} {
			if _, err := im.from.UpdateSubscription(ctx, id, change); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliveries moves the pending deliveries.
func (im *importer) deliveries(ctx context.Context) error {
	for {
		claims, err := im.from.Claim(ctx, store.ClaimRequest{Max: step, Lease: lease})
		if err != nil {
			return err
		}
		if len(claims.Claims) == 0 {
			if claims.NextDue == 0 { // it has not looked at all that there is
				continue
			}
			break
		}
		if err := im.move(ctx, claims.Claims); err != nil {
			leases := make([]store.Lease, len(claims.Claims))
			for i := range claims.Claims {
				leases[i] = claims.Claims[i].Lease
			}
			return errors.Join(err, im.from.Release(context.WithoutCancel(ctx), leases...))
		}
	}
	stats, err := im.from.Stats(ctx, "")
	if err == nil && stats.Pending > 0 {
		err = fmt.Errorf("%d deliveries of the old store are leased to somebody, or are not to be "+
			"sent yet (Event.NotBefore); stop its dispatcher, and import again when the leases have "+
			"run out and the times have come", stats.Pending)
	}
	return err
}
