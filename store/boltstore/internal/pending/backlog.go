package pending

import (
	"maps"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Backlog returns the backlog of a subscription, which the caller must not change.
func (s *Set) Backlog(num uint64) (*record.Backlog, error) {
	if b := s.backlogs[num]; b != nil {
		return b, nil
	}
	key := record.Key1(num)
	b, err := record.DecodeBacklog(key[:], s.get(Backlogs, key[:]))
	if err != nil {
		return nil, err
	}
	s.cacheBacklog(num, b)
	return b, nil
}

func (s *Set) cacheBacklog(num uint64, b *record.Backlog) {
	if s.backlogs == nil {
		s.backlogs = make(map[uint64]*record.Backlog)
	}
	s.backlogs[num] = b
}

// EditBacklog returns the backlog of a subscription for the caller to change. Flush writes it: a
// batch changes the count of the same subscription many times.
func (s *Set) EditBacklog(num uint64) (*record.Backlog, error) {
	b, err := s.Backlog(num)
	if err != nil {
		return nil, err
	}
	s.SetBacklog(num, b)
	return b, nil
}

// SetBacklog makes b the backlog of a subscription, whether the present one can be read or not.
func (s *Set) SetBacklog(num uint64, b *record.Backlog) {
	s.cacheBacklog(num, b)
	if s.edited == nil {
		s.edited = make(map[uint64]bool)
	}
	s.edited[num] = true
	s.journal.BacklogEdited()
}

// CancelAll cancels all that is pending for a subscription, as of the number of the mark, and
// returns the marks that the subscription has then. It costs the same however much that is: the
// mark makes every reader see it, and rows and indexes follow later.
func (s *Set) CancelAll(num uint64, m record.Mark) ([]record.Mark, error) {
	b, err := s.EditBacklog(num)
	if err != nil {
		return nil, err
	}
	b.Pending = 0
	b.Marks = append(slices.Clip(b.Marks), m) // memory has the former list, and reads it meanwhile
	return b.Marks, nil
}

// DropMarks removes the marks of a subscription up to a number, once all that they cancel has a row
// that says so. It reports whether none are left.
func (s *Set) DropMarks(num, upTo uint64) (none bool, err error) {
	b, err := s.EditBacklog(num)
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
func (s *Set) Flush() error {
	for _, num := range slices.Sorted(maps.Keys(s.edited)) { // neighbours share a page
		key, b := record.Key1(num), s.backlogs[num]
		var err error
		if b.Empty() {
			err = s.remove(Backlogs, key[:])
		} else {
			err = s.put(Backlogs, key[:], b.Encode(key[:]))
		}
		if err != nil {
			return err
		}
		s.journal.BacklogChanged(num, b)
	}
	s.edited = nil
	return nil
}
