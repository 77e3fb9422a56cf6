package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// SpillPlan is a part of a rise. It is made under the mutex when the operations of the transaction
// have run, and before their effects are applied: so it may list as implicit what they have given a
// row.
type SpillPlan struct {
	To        uint64           // where the watermark is to be at the end of the rise
	Nums      []uint64         // subscriptions, in ascending order
	Implicit  [][]uint64       // of each, what has no row
	Backlogs  []record.Backlog // of each, what memory knows of its backlog
	Completes bool             // after it the watermark is up
}

// spill writes a part of a rise of the watermark, if there is one. It must come after all else in
// the transaction.
func (t *Tx) spill(p *SpillPlan) error {
	if p == nil {
		return nil
	}
	for i, num := range p.Nums {
		if !t.Subs.Exists(num) {
			continue
		}
		// For a subscription that was deleted after the plan was made, chunks would be written that
		// its purge may have passed already.
		packed, err := t.Pending.Spill(num, p.Implicit[i], p.Backlogs[i])
		if err != nil {
			return err
		}
		if len(packed) > 0 {
			t.Log.Add(effect.DeliveriesSpilled{Num: num, Seqs: packed})
		}
	}
	// In the transaction that writes the first chunks: from now on a delivery up to there may be in
	// one, so readers have to look.
	if err := t.PutMetaNumber(buckets.MetaRising, p.To); err != nil {
		return err
	}
	if p.Completes {
		if err := t.PutMetaNumber(buckets.MetaWatermark, p.To); err != nil {
			return err
		}
		t.Log.Add(effect.WatermarkRaised{To: p.To})
		return nil
	}
	t.Log.Add(effect.SpillProgressed{Subscriptions: len(p.Nums)})
	return nil
}

// TrimStep bounds the subscriptions, and the chunks of each, that one commit looks at.
const TrimStep = 64

// TrimPlan is a subscription whose chunks below an event can go.
type TrimPlan struct{ Num, Floor uint64 }

// trim removes chunks that nothing is pending of. What it misses, the next opening of the store
// finds.
func (t *Tx) trim(plan []TrimPlan) error {
	for _, p := range plan {
		if !t.Subs.Exists(p.Num) {
			continue
		}
		if err := t.Pending.Trim(p.Num, p.Floor, TrimStep); err != nil {
			return err
		}
	}
	return nil
}
