package scan

import (
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/schedule"
)

// OldestSearch looks for the oldest pending delivery of each of some subscriptions.
type OldestSearch struct {
	Nums  []uint64
	Found []uint64          // the oldest of each, 0 if there is none
	Next  int               // which of them is looked at
	from  schedule.Position // how far it has been, in the index
}

// Read looks on, for a while.
func (o *OldestSearch) Read(t *txn.Tx) error {
	for first := true; o.Next < len(o.Nums); first = false {
		if !first && t.IsSlow() {
			return nil
		}
		num, found := o.Nums[o.Next], &o.Found[o.Next]
		if o.from == (schedule.Position{}) {
			seq, err := t.Pending.OldestPacked(num, 0)
			if err != nil {
				return err
			}
			*found = seq
		}
		from, seq, more, err := t.Pending.OldestDue(num, o.from, *found)
		if err != nil {
			return err
		}
		if *found = seq; more {
			o.from = from
			return nil
		}
		o.Next, o.from = o.Next+1, schedule.Position{}
	}
	return nil
}
