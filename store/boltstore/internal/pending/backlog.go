package pending

import (
	"maps"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// backlogs reads and writes the backlogs of subscriptions.
type backlogs struct {
	*access
	journal Journal
	known   map[uint64]*record.Backlog // read, and written by Flush if edited
	edited  map[uint64]bool
}

// Get returns the backlog of a subscription, which the caller must not change.
func (x *backlogs) Get(num uint64) (*record.Backlog, error) {
	if b := x.known[num]; b != nil {
		return b, nil
	}
	key := record.Key1(num)
	b, err := record.DecodeBacklog(key[:], x.get(Backlogs, key[:]))
	if err != nil {
		return nil, err
	}
	x.cache(num, b)
	return b, nil
}

// cache makes b what Get returns for the rest of the transaction.
func (x *backlogs) cache(num uint64, b *record.Backlog) {
	if x.known == nil {
		x.known = make(map[uint64]*record.Backlog)
	}
	x.known[num] = b
}

// Each calls visit for each subscription that has a backlog in the file.
func (x *backlogs) Each(visit func(num uint64, b *record.Backlog)) error {
	c := x.buckets.Cursor(Backlogs)
	for k, v := x.seek(c, nil); k != nil; k, v = c.Next() {
		b, err := record.DecodeBacklog(k, v)
		if err != nil {
			return err
		}
		visit(record.KeyNumber(k, 0), b)
	}
	return nil
}

// Edit returns the backlog of a subscription for the caller to change. Flush writes it: a
// batch changes the count of the same subscription many times.
func (x *backlogs) Edit(num uint64) (*record.Backlog, error) {
	b, err := x.Get(num)
	if err != nil {
		return nil, err
	}
	x.Set(num, b)
	return b, nil
}

// Set makes b the backlog of a subscription, whether the present one can be read or not.
func (x *backlogs) Set(num uint64, b *record.Backlog) {
	x.cache(num, b)
	if x.edited == nil {
		x.edited = make(map[uint64]bool)
	}
	x.edited[num] = true
	x.journal.BacklogEdited()
}

// CancelAll cancels all that is pending for a subscription, as of the number of the mark, and
// returns the marks that the subscription has then. It costs the same however much that is: the
// mark makes every reader see it, and rows and indexes follow later.
func (x *backlogs) CancelAll(num uint64, m record.Mark) ([]record.Mark, error) {
	b, err := x.Edit(num)
	if err != nil {
		return nil, err
	}
	// All that was counted is canceled. What becomes pending from now on has a later number, and
	// counts.
	b.Pending = 0
	b.Marks = append(slices.Clip(b.Marks), m) // memory has the former list, and reads it meanwhile
	return b.Marks, nil
}

// DropMarks removes the marks of a subscription up to a number, once all that they cancel has a row
// that says so. It reports whether none are left.
func (x *backlogs) DropMarks(num, upTo uint64) (none bool, err error) {
	b, err := x.Edit(num)
	if err != nil {
		return false, err
	}
	b.Marks = slices.DeleteFunc(slices.Clone(b.Marks), func(m record.Mark) bool {
		return m.Seq <= upTo
	})
	return len(b.Marks) == 0, nil
}

// Flush writes the backlogs that were edited. It must come after all other writes of the
// transaction.
func (x *backlogs) Flush() error {
	for _, num := range slices.Sorted(maps.Keys(x.edited)) { // neighbours share a page
		key, b := record.Key1(num), x.known[num]
		var err error
		if b.Empty() {
			err = x.remove(Backlogs, key[:])
		} else {
			err = x.put(Backlogs, key[:], b.Encode(key[:]))
		}
		if err != nil {
			return err
		}
		x.journal.BacklogChanged(num, b)
	}
	x.edited = nil
	return nil
}
