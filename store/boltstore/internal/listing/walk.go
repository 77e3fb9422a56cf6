package listing

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// Lister reads the pages of lists, each in short transactions. Make one with [New]. It is safe for
// concurrent use; each walk is for one goroutine.
type Lister struct {
	db *database.DB

	// Room for what a step finds, of walks that are over: a *[]scan.FoundDelivery each. It is most
	// of what a page would allocate, and those who publish wait for each collection of that.
	room sync.Pool

	Looked atomic.Int64 // how many records listings have looked at; tests bound it
}

// New returns a Lister of a store.
func New(db *database.DB) *Lister {
	return &Lister{db: db, room: sync.Pool{New: func() any {
		found := make([]scan.FoundDelivery, 0, scan.SliceSize)
		return &found
	}}}
}

const (
	// firstStep is how many deliveries the first step of a walk finds at most: about a page. Each
	// step finds twice as many as the one before, to scan.SliceSize.
	firstStep = 64

	// firstLook is how many records of others a listing of several subscriptions passes over before
	// it asks which subscriptions those are. A tenant that publishes much is in every few events,
	// and then to read the log is the shortest way.
	firstLook = 128

	// slowStep is how many records a step counts as that has found nothing in all its time, because
	// the disk is slow: so the time of a walk has a bound too.
	slowStep = page.Budget / 128
)

// deliveries returns a walk of the deliveries that q selects.
func (l *Lister) deliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (page.Walk[scan.FoundDelivery], error) {
	var num, seq uint64
	err := l.db.Read(ctx, func(t *txn.Tx) (err error) {
		if q.SubscriptionID != "" {
			num, err = t.Subs.Number(q.SubscriptionID)
		}
		if q.EventID == "" || err != nil {
			return err
		}
		tenant := q.Tenant
		if num != 0 && q.AnyTenant { // Validate has seen that a subscription is named
			tenant, err = t.Subs.Tenant(num)
		}
		if err == nil {
			seq, err = t.IDs.Find(tenant, q.EventID)
		}
		return err
	})
	if err != nil || q.SubscriptionID != "" && num == 0 || q.EventID != "" && seq == 0 {
		// A name that is unknown: no delivery matches, and that is no error.
		return func(
			page.Cursor, int, func(page.Position, *scan.FoundDelivery) bool,
		) (*page.Position, error) {
			return nil, nil
		}, err
	}
	return func(
		from page.Cursor, budget int, visit func(page.Position, *scan.FoundDelivery) bool,
	) (gaveUp *page.Position, err error) {
		room := l.room.Get().(*[]scan.FoundDelivery)
		defer func() {
			clear((*room)[:cap(*room)]) // it has strings of the deliveries
			l.room.Put(room)
		}()
		// Each walk begins anew: a page asks for several, in both directions.
		w := deliveryWalk{
			Lister: l, budget: budget, mayMerge: num == 0 && seq == 0 && scan.Selective(q),
			DeliveryReader: scan.DeliveryReader{
				Q: q, Num: num, Seq: seq, From: from, Size: firstStep, More: true, Found: *room,
			},
		}
		return w.run(ctx, visit)
	}, nil
}

// deliveryWalk is one walk under way.
type deliveryWalk struct {
	*Lister
	scan.DeliveryReader
	budget int // how many records it may pass over
	passed int // how many it has passed over

	// It goes through the log so far, and may go on with the subscriptions that have what is
	// selected.
	mayMerge bool
}

// run goes on until visit returns false or the budget is used up. It returns where then.
func (w *deliveryWalk) run(
	ctx context.Context, visit func(page.Position, *scan.FoundDelivery) bool,
) (gaveUp *page.Position, err error) {
	if err := w.db.Read(ctx, w.Skip); err != nil {
		return nil, err
	}
	began := w.From
	if w.Seq == 0 && w.Num != 0 {
		w.Merge([]uint64{w.Num}, firstStep)
	}
	for w.More {
		if err := w.ask(ctx); err != nil {
			return nil, err
		}
		// A caller that goes on from where the walk gave up must come further than it did.
		if w.passed >= w.budget && w.From != began {
			return &w.From.At, nil
		}
		if w.Left = max(w.budget-w.passed, 1); w.mayMerge {
			w.Left = firstLook
		}
		if err := w.step(ctx); err != nil {
			return nil, err
		}
		for i := range w.Found {
			// Outside of the transaction, see scan.
			if f := &w.Found[i]; !visit(f.At, f) {
				return nil, nil
			}
		}
	}
	return nil, nil
}

// step reads on, in one transaction.
func (w *deliveryWalk) step(ctx context.Context) error {
	if err := w.db.Turns.Take(ctx); err != nil {
		return err
	}
	defer w.db.Turns.End()
	w.listImplicit(w.Dry())
	slow := false
	err := w.db.Read(ctx, func(t *txn.Tx) error {
		err := w.Read(t)
		slow = t.IsSlow()
		return err
	})
	w.Looked.Add(int64(w.Passed + len(w.Found)))
	if w.passed += w.Passed; slow && len(w.Found) == 0 {
		w.passed += slowStep
	}
	w.Size = min(2*w.Size, scan.SliceSize)
	return err
}

// listImplicit gets what memory knows of some subscriptions. It must come before the transaction:
// what is not implicit any more when that begins, is in the file.
func (w *deliveryWalk) listImplicit(dry []*scan.Stream) {
	if len(dry) == 0 {
		return
	}
	w.db.Lock()
	defer w.db.Unlock()
	for _, s := range dry {
		q := w.db.Memory.Schedule.Sub(s.Num)
		first, ok := w.Edge(s.Num)
		switch {
		case q == nil || !ok:
			continue
		case w.From.Back:
			s.Implicit = q.ImplicitUp(first, s.Size())
		default:
			s.Implicit = q.ImplicitDown(first, s.Size())
		}
		// It may say so in vain, which costs another step.
		s.MoreImplicit = len(s.Implicit) == s.Size()
	}
}

// ask finds out which subscriptions have what is selected, once the log has been read in vain for a
// while. If they are few, the walk goes on with theirs alone.
func (w *deliveryWalk) ask(ctx context.Context) error {
	if !w.mayMerge || w.passed < firstLook {
		return nil
	}
	w.mayMerge = false
	var pending []uint64
	if scan.NeedsPending(w.Q) {
		ok := false
		if pending, ok = w.pending(); !ok {
			return nil
		}
	}
	return w.db.ReadStep(ctx, func(t *txn.Tx) error {
		nums, ok, err := scan.Candidates(t, w.Q, pending)
		if err == nil && ok {
			w.Merge(nums, firstStep)
		}
		return err
	})
}

// pending returns the subscriptions that memory knows to have something pending; ok is false if
// they are too many to merge.
func (w *deliveryWalk) pending() (nums []uint64, ok bool) {
	w.db.Lock()
	defer w.db.Unlock()
	if w.db.Memory.Schedule.Len() > scan.MaxMerged {
		return nil, false
	}
	w.db.Memory.Schedule.Subs(func(q *memory.Queue) { nums = append(nums, q.Num) })
	return nums, true
}
