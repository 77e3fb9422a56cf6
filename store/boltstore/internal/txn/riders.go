package txn

import (
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// SpillPlan is a part of a rise.
type SpillPlan struct {
	To        uint64
	Nums      []uint64
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
		packed, err := t.Pending.Spill(num, p.Implicit[i], p.Backlogs[i])
		if err != nil {
			return err
		}
		if len(packed) > 0 {
			t.effects.add(DeliveriesSpilled{num, packed})
		}
	}
	if err := t.PutMetaNumber(metaRising, p.To); err != nil {
		return err
	}
	if p.Completes {
		if err := t.PutMetaNumber(metaWatermark, p.To); err != nil {
			return err
		}
		t.effects.add(WatermarkRaised{p.To})
		return nil
	}
	t.effects.add(SpillProgressed{len(p.Nums)})
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

// Riders are what a transaction does besides its operations.
type Riders struct {
	Trim   []TrimPlan
	Spill  *SpillPlan
	Counts *CountsPlan
}

// NeedsCommit reports whether there is something to commit.
func (t *Tx) NeedsCommit() bool { return t.changes > 0 || len(t.effects.list) > 0 }

// Complete completes a transaction with what rides on it.
func (t *Tx) Complete(r Riders) error {
	if err := t.trim(r.Trim); err != nil {
		return err
	}
	if err := t.spill(r.Spill); err != nil {
		return err
	}
	if err := t.Counts.complete(r.Counts); err != nil {
		return err
	}
	if err := t.keepClock(); err != nil {
		return err
	}
	return t.Flush()
}

// clockStep is how far the clock may be ahead of what the file says of it.
const clockStep = int64(time.Second)

// keepClock writes how far the clock has come, unless it was written lately.
func (t *Tx) keepClock() error {
	kept, err := t.MetaNumber(metaClock)
	if err == nil && t.Now-int64(kept) < clockStep {
		return nil
	}
	return t.PutMetaNumber(metaClock, uint64(t.Now))
}

// KeptClock returns how far the clock had come when the store was last used, or earlier. A record
// that can't be read says nothing.
func (t *Tx) KeptClock() int64 {
	kept, _ := t.MetaNumber(metaClock)
	return int64(kept)
}
