package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

const (
	importStep  = 500       // records at a time
	importLease = time.Hour // of what is taken out of the old store
)

// Imported says what an Import has moved.
type Imported struct {
	Subscriptions int // all that the old store has
	Deliveries    int // pending ones that were not here yet
	Finished      int // and finished ones
}

// delivery names one without its token.
type delivery struct{ subscriptionID, eventID string }

func of(l *store.Lease) delivery { return delivery{l.SubscriptionID, l.EventID} }

// Import moves what another store, such as a boltstore, still has to do into this one: its
// subscriptions with their health, and its pending deliveries with their attempts, in their order,
// each due when it was. Then it copies the history: finished deliveries and their attempts, but not
// the bodies of events of which nothing is pending, as the other store gives out no body that is
// not to be sent. Those events are Erased here: Requeue passes them over, and whoever publishes one
// again publishes nothing. Counts (store.Window) begin anew.
//
// Nothing is lost and nothing is done twice: a delivery is stored here, on disk, before it is ended
// there (as dead, with "moved to PostgreSQL"), and one that is here already is not stored again. So
// after an error, or a crash, Import can be called again and goes on, though what waited for a
// retry may then be due at once, and what was moved first comes first. Nobody else may use the old
// store meanwhile, and afterwards nobody should: neither publish to it nor run a dispatcher on it.
// This store may be in use already, by other replicas too.
//
// It calls progress, unless that is nil, with what it has moved so far, after each step of some
// hundred.
//
// It keeps the ID and the due time of each pending delivery in memory while it works, about 200
// bytes.
func (s *Store) Import(ctx context.Context, from store.Store, progress func(Imported)) (Imported, error) {
	if progress == nil {
		progress = func(Imported) {}
	}
	im := importer{s: s, from: from, progress: progress, places: make(map[string]int64), due: make(map[delivery]time.Time)}
	for _, step := range []func(context.Context) error{s.begin, im.subscriptions, im.order, im.loosen, im.deliveries, im.history} {
		if err := step(ctx); err != nil {
			return im.done, fmt.Errorf("pgstore: import: %w", err)
		}
	}
	s.noticed(ctx)
	return im.done, nil
}

// importer is an Import under way.
type importer struct {
	s    *Store
	from store.Store
	done Imported

	progress func(Imported)

	held   []string               // subscriptions that are held or paced
	places map[string]int64       // where each event goes, by ID
	due    map[delivery]time.Time // of those that are not due yet
}

// subscriptions copies them.
func (im *importer) subscriptions(ctx context.Context) error {
	q := store.SubscriptionQuery{AnyTenant: true, Limit: importStep}
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

func (im *importer) subscription(ctx context.Context, sub *store.Subscription) error {
	stats, err := im.from.Stats(ctx, sub.ID)
	if err != nil {
		return err
	}
	h := stats.Health
	if h.NextProbeAt.After(time.Now()) || h.HeldUntil.After(time.Now()) || h.Pace > 0 {
		im.held = append(im.held, sub.ID)
	}
	args := append([]any{sub.ID, sub.Tenant}, settings(sub)...)
	args = append(args, orNull(sub.OverlapUntil), string(sub.Status), sub.DisabledReason,
		sub.CreatedAt, sub.UpdatedAt, orNull(sub.SubscribedAt))
	columns := healthColumns(&h)
	args = append(append(args, columns[:]...), sub.SealedWith)
	err = im.s.write(ctx, plainSettings, func(b *batch) { b.Queue(im.s.sql.ImportSubscription, args...) })
	return told("subscription", err)
}

// order learns in which order the events go, and what is due later.
func (im *importer) order(ctx context.Context) error {
	var newestFirst []string
	seen := make(map[string]bool)
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}, Limit: importStep}
	for {
		page, err := im.from.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Items {
			d := &page.Items[i]
			if !seen[d.EventID] {
				seen[d.EventID] = true
				newestFirst = append(newestFirst, d.EventID)
			}
			if d.DueAt.After(time.Now()) {
				im.due[delivery{d.SubscriptionID, d.EventID}] = d.DueAt
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	var places []int64
	err := im.s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(im.s.sql.Reserve, len(newestFirst), im.s.table("events")).Query(func(rows pgx.Rows) (err error) {
			places, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
	})
	if err != nil {
		return err
	}
	for i, id := range slices.Backward(newestFirst) {
		im.places[id] = places[len(newestFirst)-1-i]
	}
	return nil
}

// loosen makes everything claimable in the old store: it ends holds, and what waits for a retry
// waits no more.
func (im *importer) loosen(ctx context.Context) error {
	for _, id := range im.held {
		var url string
		for _, change := range []func(*store.Subscription) error{
			func(sub *store.Subscription) error { url = sub.URL; sub.URL += "#"; return nil }, // another URL begins anew
			func(sub *store.Subscription) error { sub.URL = url; return nil },
		} {
			if _, err := im.from.UpdateSubscription(ctx, id, change); err != nil {
				return err
			}
		}
	}
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}, Limit: importStep}
	for {
		step, err := im.from.Requeue(ctx, q)
		if err != nil || step.Next == "" {
			return err
		}
		q.Cursor = step.Next
	}
}

// deliveries moves them.
func (im *importer) deliveries(ctx context.Context) error {
	for {
		claims, err := im.from.Claim(ctx, store.ClaimRequest{Max: importStep, Lease: importLease})
		if err != nil {
			return err
		}
		if len(claims.Claims) == 0 {
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
		err = fmt.Errorf("%d deliveries of the old store are leased to somebody; stop its dispatcher, and import again when the leases have run out", stats.Pending)
	}
	return err
}

// move stores deliveries here, and then ends them there.
func (im *importer) move(ctx context.Context, claims []store.Claim) error {
	n := len(claims)
	seqs, ids, types, tenants, keys := make([]int64, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	times, enqueued, bodies, subs := make([]time.Time, n), make([]time.Time, n), make([][]byte, n), make([]string, n)
	counts, retries, dues := make([]int32, n), make([]int32, n), make([]int64, n)
	statuses, wrongs, traces := make([]int16, n), make([]string, n), make([]string, n)
	logs, answers := make([][]byte, n), make([][]byte, n)
	overrides, bodyStates := make([][]byte, n), make([]int16, n)
	outcomes := make([]store.Outcome, n)
	for i := range claims {
		c := &claims[i]
		attempts, err := im.from.Attempts(ctx, c.SubscriptionID, c.EventID)
		if err != nil {
			return err
		}
		for j := range attempts {
			logs[i] = appendAttempt(logs[i], &attempts[j])
			answers[i] = appendAnswer(answers[i], attempts[j].Number, attempts[j].Response)
			statuses[i], wrongs[i] = int16(attempts[j].Status), plain(attempts[j].Error)
		}
		seqs[i], ids[i], types[i], tenants[i], keys[i] = im.places[c.EventID], c.EventID, c.EventType, c.Tenant, c.Key
		times[i], enqueued[i], bodies[i], subs[i] = c.EventTime, c.EnqueuedAt, c.Body, c.SubscriptionID
		traces[i] = c.Trace
		if bodyStates[i] = int16(c.BodyState); c.BodyState == store.BodyOverridden {
			overrides[i] = append([]byte{}, c.BodyOverride...)
		}
		counts[i], retries[i], dues[i] = int32of(c.Attempt-1), int32of(c.Retry), schedule.Parked(c.Attempt-1)
		if due, later := im.due[of(&c.Lease)]; later {
			dues[i] = due.UnixMicro()
		}
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Dead, Attempt: store.Attempt{
			Number: c.Attempt, At: time.Now(), Error: movedError,
		}}
	}
	var moved int
	err := im.s.write(ctx, plainSettings, func(b *batch) {
		b.Queue(im.s.sql.ImportDeliveries, seqs, ids, types, tenants, keys, times, enqueued, bodies, subs,
			counts, retries, dues, statuses, wrongs, logs, answers, traces, overrides, bodyStates, lastAtOnce).
			QueryRow(func(row pgx.Row) error { return row.Scan(&moved) })
	})
	if err != nil {
		return err
	}
	im.done.Deliveries += moved
	im.progress(im.done)
	_, err = im.from.Finish(ctx, outcomes...)
	return err
}
