package boltstore

import (
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/rollup"
)

// spill is a part of a rise.
type spill struct {
	to    uint64
	nums  []uint64
	fresh [][]uint64       // of each, what has no row
	known []record.Backlog // of each, what memory knows of its backlog
	last  bool             // after it the watermark is up
}

// spill writes a part of a rise of the watermark, if there is one. It must come after all else in the transaction.
func (t *txn) spill(p *spill) error {
	if p == nil {
		return nil
	}
	for i, num := range p.nums {
		if !t.subs.exists(num) {
			continue
		}
		packed, err := t.pending.Spill(num, p.fresh[i], p.known[i])
		if err != nil {
			return err
		}
		if len(packed) > 0 {
			t.effects.add(deliveriesSpilled{num, packed})
		}
	}
	if err := t.putMetaNumber(metaRising, p.to); err != nil {
		return err
	}
	if p.last {
		if err := t.putMetaNumber(metaWatermark, p.to); err != nil {
			return err
		}
		t.effects.add(watermarkRaised{p.to})
		return nil
	}
	t.effects.add(spillProgressed{len(p.nums)})
	return nil
}

// trimStep bounds the subscriptions, and the chunks of each, that one commit looks at.
const trimStep = 64

// trimmable is a subscription whose chunks below an event can go.
type trimmable struct{ num, floor uint64 }

// trim removes chunks that nothing is pending of. What it misses, the next opening of the store finds.
func (t *txn) trim(plan []trimmable) error {
	for _, p := range plan {
		if !t.subs.exists(p.num) {
			continue
		}
		if err := t.pending.Trim(p.num, p.floor, trimStep); err != nil {
			return err
		}
	}
	return nil
}

// riders are what a transaction does besides its operations.
type riders struct {
	trim   []trimmable
	spill  *spill
	counts map[slotKey]*rollup.Bucket
}

// hasSomething reports whether there is something to commit.
func (t *txn) hasSomething() bool { return t.changes > 0 || len(t.effects.list) > 0 }

// finish completes a transaction with what rides on it.
func (t *txn) finish(r riders) error {
	if err := t.trim(r.trim); err != nil {
		return err
	}
	if err := t.spill(r.spill); err != nil {
		return err
	}
	if err := t.counts.ride(r.counts); err != nil {
		return err
	}
	if err := t.keepClock(); err != nil {
		return err
	}
	return t.flush()
}

// clockStep is how far the clock may be ahead of what the file says of it.
const clockStep = int64(time.Second)

// keepClock writes how far the clock has come, unless it was written lately.
func (t *txn) keepClock() error {
	kept, err := t.metaNumber(metaClock)
	if err == nil && t.now-int64(kept) < clockStep {
		return nil
	}
	return t.putMetaNumber(metaClock, uint64(t.now))
}

// keptClock returns how far the clock had come when the store was last used, or earlier. A record
// that can't be read says nothing.
func (t *txn) keptClock() int64 {
	kept, _ := t.metaNumber(metaClock)
	return int64(kept)
}
