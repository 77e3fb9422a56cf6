package txn

import (
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
)

// Riders are what a transaction does besides its operations. Each can be empty. They ride on a
// commit that happens anyway where they can: one of their own costs a sync.
type Riders struct {
	Trim   []TrimPlan
	Spill  *SpillPlan
	Counts *buckets.CountsPlan
}

// Complete completes a transaction with what rides on it.
func (t *Tx) Complete(r Riders) error {
	// Before the spill: the floors of the plan know nothing of the chunks that it writes, and could
	// be above them.
	if err := t.trim(r.Trim); err != nil {
		return err
	}
	if err := t.spill(r.Spill); err != nil {
		return err
	}
	// After all operations, since the attempts of this transaction are counted with the next batch.
	if err := t.Counts.Complete(r.Counts); err != nil {
		return err
	}
	if err := t.keepClock(); err != nil {
		return err
	}
	return t.Flush()
}

// Flush writes what was changed of backlogs and healths. It must come last.
func (t *Tx) Flush() error {
	if err := t.Pending.Backlogs.Flush(); err != nil {
		return err
	}
	return t.Subs.Flush()
}

// clockStep is how far the clock may be ahead of what the file says of it.
const clockStep = int64(time.Second)

// keepClock writes how far the clock has come, unless it was written lately.
func (t *Tx) keepClock() error {
	kept, err := t.MetaNumber(buckets.MetaClock)
	if err == nil && t.Now-int64(kept) < clockStep {
		return nil
	}
	// Not by each commit, which would write the page of meta every time. If the process dies, the
	// clock starts up to a second early, and retries may be that much late.
	return t.PutMetaNumber(buckets.MetaClock, uint64(t.Now))
}

// KeptClock returns how far the clock had come when the store was last used, or earlier. A record
// that can't be read says nothing.
func (t *Tx) KeptClock() int64 {
	kept, _ := t.MetaNumber(buckets.MetaClock)
	return int64(kept)
}
