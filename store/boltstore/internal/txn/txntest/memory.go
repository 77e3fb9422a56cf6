package txntest

import (
	"maps"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Memory follows transactions by their effects, in the plainest way. It knows which deliveries are
// implicit, and what there is to purge.
type Memory struct {
	implicit  map[uint64][]uint64 // by subscription, ascending
	backlogs  map[uint64]record.Backlog
	Purges    []effect.PurgeState
	Watermark uint64
}

// Follow takes in the effects of a transaction that has committed.
func (m *Memory) Follow(list []effect.Effect) {
	for _, e := range list {
		switch e := e.(type) {
		case *effect.EventEnqueued:
			nums, err := record.UnpackAll(e.Recipients.Packed)
			if err != nil {
				panic(err)
			}
			for _, num := range nums {
				if !slices.Contains(e.Materialized, num) {
					m.implicit[num] = append(m.implicit[num], e.Seq)
				}
			}
		case *effect.DeliveryChanged:
			m.remove(e.Num, e.Seq)
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
		case effect.PendingCanceled:
			m.purge(effect.PurgeState{Num: e.Num, UpTo: e.Marks[len(e.Marks)-1].Seq})
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

func (m *Memory) remove(num, seq uint64) {
	m.implicit[num] = slices.DeleteFunc(m.implicit[num], func(s uint64) bool { return s == seq })
}

// purge begins a purge, from its beginning if there is one under way.
func (m *Memory) purge(p effect.PurgeState) {
	m.Purges = slices.DeleteFunc(m.Purges, func(q effect.PurgeState) bool { return q.Num == p.Num })
	m.Purges = append(m.Purges, p)
}

// Implicit returns the implicit deliveries of a subscription up to an event, in ascending order.
func (m *Memory) Implicit(num, upTo uint64) []uint64 {
	n, found := slices.BinarySearch(m.implicit[num], upTo)
	if found {
		n++
	}
	return slices.Clone(m.implicit[num][:n])
}

// NextPurge returns the next step of a purge; nil if there is nothing to purge.
func (m *Memory) NextPurge() *txn.Purge {
	if len(m.Purges) == 0 {
		return nil
	}
	p := m.Purges[0]
	return &txn.Purge{PurgeState: p, Implicit: m.Implicit(p.Num, p.UpTo)}
}

// Spill plans a rise of the watermark to an event, for all subscriptions at once.
func (m *Memory) Spill(to uint64) *txn.SpillPlan {
	p := &txn.SpillPlan{To: to, Completes: true}
	for _, num := range slices.Sorted(maps.Keys(m.implicit)) {
		p.Nums = append(p.Nums, num)
		p.Implicit = append(p.Implicit, m.Implicit(num, to))
		p.Backlogs = append(p.Backlogs, m.backlogs[num])
	}
	return p
}
