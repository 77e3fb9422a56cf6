package scan

import (
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/order"
)

// OldestSearch looks for the oldest pending delivery of each of some subscriptions. A
// subscription's is the older of its oldest in chunks and of its oldest in the index of what is
// due, where a step can be left.
type OldestSearch struct {
	Nums  []uint64
	Found []uint64       // the oldest of each, 0 if there is none
	Next  int            // which of them is looked at
	from  order.Position // how far it has been, in the index
}

// Read looks on, for a while. The search is over when Next has reached the end of Nums.
func (o *OldestSearch) Read(t *txn.Tx) error {
	// One look at least in each step, so that it comes further on a slow disk too.
	for first := true; o.Next < len(o.Nums); first = false {
		if !first && t.IsSlow() {
			return nil
		}
		num, found := o.Nums[o.Next], &o.Found[o.Next]
		// Only at the beginning: when a step goes on with a subscription, Found has it already.
		if o.from == (order.Position{}) {
			seq, err := t.Pending.OldestPacked(num, 0)
			if err != nil {
				return err
			}
			*found = seq
		}
		// The index is by time and not by event, so all of it must be seen; a step can stop in
		// between.
		from, seq, more, err := t.Pending.OldestDue(num, o.from, *found)
		if err != nil {
			return err
		}
		if *found = seq; more {
			o.from = from
			return nil
		}
		o.Next, o.from = o.Next+1, order.Position{}
	}
	return nil
}
