package memstore

import (
	"math"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// queue is what is pending: the schedule, which knows what is next, and how much of it each tenant
// has. It tells the schedule how deliveries have changed. Keys are this store's: the schedule hears
// of a delivery as blocked while an earlier one of its key is pending. It is guarded by the store's
// lock.
type queue struct {
	*schedule.Schedule[*subscription, *delivery]
	pending map[string]int // deliveries that are, by tenant
}

// Short names for what the schedule keeps.
type (
	turns = schedule.Sub[*subscription, *delivery]
	lease = schedule.Lease[*subscription, *delivery]
)

func newQueue() queue {
	return queue{
		// No bound for the idle ones: what the schedule forgets, this store could not load again.
		Schedule: schedule.New[*subscription, *delivery](schedule.Options{Idle: math.MaxInt}),
		pending:  make(map[string]int),
	}
}

// add takes in a delivery that has become pending. isNew says that its event comes after all that
// are stored.
func (q *queue) add(d *delivery, isNew bool, now time.Time) {
	sub := d.sub
	// In order: how many there are, then the keys, then the schedule, which is told by isNext.
	q.count(sub.Tenant, 1)
	if key := d.event.key; key != "" {
		same := sub.keyed[key]
		// By event, and not at the end: a redelivery of an old event stands before newer ones.
		i, _ := slices.BinarySearchFunc(same, d, byEvent)
		first := d
		if len(same) > 0 {
			first = same[0]
		}
		sub.keyed[key] = slices.Insert(same, i, d)
		if first != d && i == 0 { // it was the first until now, and may be leased
			q.place(first, false, now)
		}
	}
	if d.isNext() && isNew { // the implicit list is made for what comes last
		q.AddImplicit(sub.turns, d.event.num, now.UnixNano())
		return
	}
	q.place(d, false, now)
}

// remove takes out a delivery that is not pending any more. Its lease, if there is one, ends. If
// others of its key stood behind it, the next is let go.
func (q *queue) remove(d *delivery, now time.Time) {
	// First, since it ends the lease; the next of the key is told after that.
	q.tell(d, schedule.Change{}, now)
	sub, key := d.sub, d.event.key
	q.count(sub.Tenant, -1)
	// Without a key nothing stands behind it.
	if key == "" {
		return
	}
	i, found := slices.BinarySearchFunc(sub.keyed[key], d, byEvent)
	if !found {
		return
	}
	same := slices.Delete(sub.keyed[key], i, i+1)
	if len(same) == 0 {
		// So that keys that were used once take no memory.
		delete(sub.keyed, key)
		return
	}
	sub.keyed[key] = same
	// Otherwise the first one still stands, and those behind it stay blocked.
	if i == 0 {
		q.place(same[0], false, now)
	}
}

// place tells the schedule where a pending delivery stands. endLease says that a lease on it ends.
func (q *queue) place(d *delivery, endLease bool, now time.Time) {
	q.tell(d, schedule.Change{
		Pending: true, Blocked: !d.isNext(), Position: d.place(), EndLease: endLease,
	}, now)
}

// shown returns a delivery as the outside sees it, with what it waits for. withheld is that of its
// subscription.
func (q *queue) shown(d *delivery, withheld store.Wait, now time.Time) store.Delivery {
	r := d.record()
	if d.state == store.Pending {
		w := schedule.Waiting{
			Position: d.place(), Blocked: !d.isNext(), Withheld: withheld,
		}
		why, until := q.Why(d.sub.num, w, nil, now.UnixNano())
		if r.Wait = why; until != 0 {
			r.WaitUntil = time.Unix(0, until).UTC()
		}
	}
	return r
}

// tell passes a change on to the schedule, with where the delivery stood before. All changes of a
// recorded delivery go this way, so position is always what the schedule was told last.
func (q *queue) tell(d *delivery, c schedule.Change, now time.Time) {
	// The schedule's windows have no bound here, and it finds the old place by this instead of
	// searching.
	c.Was = d.position
	// What is blocked or not pending has no position for the next change to name.
	d.position = nil
	if c.Pending && !c.Blocked {
		d.position = &c.Position
	}
	q.Change(d.sub.turns, d.event.num, c, now.UnixNano())
}

// removeAll ends all that is pending of a subscription, n deliveries. The schedule is told once,
// and not for each delivery, as by remove.
func (q *queue) removeAll(sub *subscription, n int, now time.Time) {
	q.count(sub.Tenant, -n)
	// Nothing is pending, so no key holds anything.
	clear(sub.keyed)
	q.Clear(sub.turns, now.UnixNano())
}

// count changes how many deliveries of a tenant are pending. A tenant without any has no entry, so
// the map is as large as what is pending and no larger.
func (q *queue) count(tenant string, n int) {
	if n += q.pending[tenant]; n != 0 {
		q.pending[tenant] = n
		return
	}
	delete(q.pending, tenant)
}

// byEvent orders the deliveries of a key: they are attempted in the order of Enqueue.
func byEvent(a, b *delivery) int { return compareEvents(a.event, b.event) }
