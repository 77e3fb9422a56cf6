package txntest

import (
	"maps"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Memory follows transactions by their effects, in the plainest way. It knows which deliveries are
// implicit, and what there is to purge. It shares no code with package memory, so a fault there
// can't hide one in txn.
type Memory struct {
	implicit  map[uint64][]uint64       // by subscription, ascending
	backlogs  map[uint64]record.Backlog // by subscription, as the last effect has said
	Purges    []effect.PurgeState       // what there is to purge, the earliest first
	Watermark uint64                    // where the file's is
}

// Follow takes in the effects of a transaction that has committed. It ignores those that say
// nothing of implicit deliveries, backlogs, purges or the watermark.
func (m *Memory) Follow(list []effect.Effect) {
	for _, e := range list {
		switch e := e.(type) {
		// Events come in ascending order, so appending keeps the lists sorted.
		case *effect.EventEnqueued:
			nums, err := record.UnpackAll(e.Recipients.Packed)
			if err != nil {
				// txn has packed it in this test.
				panic(err)
			}
			for _, num := range nums {
				if !slices.Contains(e.Materialized, num) {
					m.implicit[num] = append(m.implicit[num], e.Seq)
				}
			}
		// Whatever it has become, it has a row now.
		case *effect.DeliveryChanged:
			m.remove(e.Num, e.Seq)
		// Only what the transaction has packed: what has got a row in it came as a change before.
		case effect.DeliveriesSpilled:
			for _, seq := range e.Seqs {
				m.remove(e.Num, seq)
			}
		case *effect.BacklogChanged:
			if m.backlogs == nil {
				m.backlogs = make(map[uint64]record.Backlog)
			}
			m.backlogs[e.Num] = *e.Backlog
		case effect.WatermarkRaised:
			m.Watermark = e.To
		// What is canceled stays in the implicit list: the purge gives it its rows, and asks for it
		// by NextPurge.
		case effect.PendingCanceled:
			m.purge(effect.PurgeState{Num: e.Num, UpTo: e.Marks[len(e.Marks)-1].Seq})
		// Its implicit deliveries are gone at once, and only records are left to purge.
		case effect.SubscriptionDeleted:
			delete(m.implicit, e.Num)
			m.purge(effect.PurgeState{Num: e.Num})
		case effect.PurgeProgressed:
			for i := range m.Purges {
				if m.Purges[i].Num == e.State.Num {
					m.Purges[i] = e.State
				}
			}
		case effect.PurgeEnded:
			m.Purges = slices.DeleteFunc(m.Purges, func(p effect.PurgeState) bool {
				return p.Num == e.Num
			})
		}
	}
}

// remove takes a delivery out of the implicit list, if it is in.
func (m *Memory) remove(num, seq uint64) {
	m.implicit[num] = slices.DeleteFunc(m.implicit[num], func(s uint64) bool { return s == seq })
}

// purge begins a purge, from its beginning if there is one under way.
func (m *Memory) purge(p effect.PurgeState) {
	m.Purges = slices.DeleteFunc(m.Purges, func(q effect.PurgeState) bool { return q.Num == p.Num })
	// At the end, as a store does it: the others are not kept waiting by one that begins anew.
	m.Purges = append(m.Purges, p)
}

// Implicit returns the implicit deliveries of a subscription up to an event, in ascending order.
// The list is a copy.
func (m *Memory) Implicit(num, upTo uint64) []uint64 {
	n, found := slices.BinarySearch(m.implicit[num], upTo)
	// upTo itself belongs to it.
	if found {
		n++
	}
	return slices.Clone(m.implicit[num][:n])
}

// NextPurge returns the next step of a purge; nil if there is nothing to purge. The caller runs it
// in a transaction, whose effects say how far it has come.
func (m *Memory) NextPurge() *txn.Purge {
	if len(m.Purges) == 0 {
		return nil
	}
	p := m.Purges[0]
	return &txn.Purge{PurgeState: p, Implicit: m.Implicit(p.Num, p.UpTo)}
}

// Spill plans a rise of the watermark to an event, for all subscriptions at once. A store takes
// some of them at a time.
func (m *Memory) Spill(to uint64) *txn.SpillPlan {
	p := &txn.SpillPlan{To: to, Completes: true}
	for _, num := range slices.Sorted(maps.Keys(m.implicit)) {
		p.Nums = append(p.Nums, num)
		p.Implicit = append(p.Implicit, m.Implicit(num, to))
		p.Backlogs = append(p.Backlogs, m.backlogs[num])
	}
	return p
}
