package boltstore

// oldestSearch looks for the oldest pending delivery of each of some subscriptions.
type oldestSearch struct {
	nums  []uint64
	found []uint64 // the oldest of each, 0 when there is none
	next  int      // which of them is looked at
	from  place    // how far it has been, in the index
}

// read looks on, for a while.
func (o *oldestSearch) read(t *txn) error {
	for first := true; o.next < len(o.nums); first = false {
		if !first && t.settings.now()-t.now > sliceTime {
			return nil
		}
		num, found := o.nums[o.next], &o.found[o.next]
		if o.from == (place{}) {
			seq, err := t.pending.OldestPacked(num, 0)
			if err != nil {
				return err
			}
			*found = seq
		}
		from, seq, more, err := t.pending.OldestDue(num, o.from, *found)
		if err != nil {
			return err
		}
		if *found = seq; more {
			o.from = from
			return nil
		}
		o.next, o.from = o.next+1, place{}
	}
	return nil
}
