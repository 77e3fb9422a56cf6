package boltstore

import "slices"

// freshList is the deliveries of a subscription that the file knows only from their events: pending ones above the
// watermark that have no row. They are in the order of their events, which is the order in which they are claimed. A
// delivery leaves the list when it gets a row or a place in a chunk, not when it is claimed.
type freshList struct {
	items []uint64 // sequence numbers, ascending, with the flags below
	next  int      // nothing before it is free
	live  int      // how many are pending: neither gone nor canceled
	size  int      // how many are not gone
}

// The flags of an item are in its lowest bits.
const (
	freshTaken    = 1 << iota // claimed
	freshCanceled             // a mark has canceled it
	freshGone                 // no more in the list
	freshBits     = iota
)

// add puts in the event of a new delivery. It is nearly always the highest.
func (l *freshList) add(seq uint64) {
	item := seq << freshBits
	i := len(l.items)
	for i > 0 && l.items[i-1]>>freshBits > seq {
		i--
	}
	l.items = slices.Insert(l.items, i, item)
	l.next = min(l.next, i)
	l.live++
	l.size++
}

// find returns the position of an event; ok is false when it is not in the list.
func (l *freshList) find(seq uint64) (i int, ok bool) {
	i, _ = slices.BinarySearch(l.items, seq<<freshBits)
	ok = i < len(l.items) && l.items[i]>>freshBits == seq && l.items[i]&freshGone == 0
	return i, ok
}

// has reports whether the event is in the list.
func (l *freshList) has(seq uint64) bool {
	_, ok := l.find(seq)
	return ok
}

// peek returns the first event that is free to be claimed.
func (l *freshList) peek() (seq uint64, ok bool) {
	const busy = freshTaken | freshCanceled | freshGone
	for l.next < len(l.items) && l.items[l.next]&busy != 0 {
		l.next++
	}
	if l.next == len(l.items) {
		return 0, false
	}
	return l.items[l.next] >> freshBits, true
}

// take marks an event as claimed, if it is in the list.
func (l *freshList) take(seq uint64) {
	if i, ok := l.find(seq); ok {
		l.items[i] |= freshTaken
	}
}

// putBack frees an event again.
func (l *freshList) putBack(seq uint64) {
	if i, ok := l.find(seq); ok {
		l.items[i] &^= freshTaken
		l.next = min(l.next, i)
	}
}

// remove takes an event out, if it is in the list.
func (l *freshList) remove(seq uint64) {
	i, ok := l.find(seq)
	if !ok {
		return
	}
	if l.items[i]&freshCanceled == 0 {
		l.live--
	}
	l.items[i] |= freshGone
	l.size--
	if i == 0 {
		l.trim()
	}
}

// trim forgets what is gone at the front.
func (l *freshList) trim() {
	n := 0
	for n < len(l.items) && l.items[n]&freshGone != 0 {
		n++
	}
	l.items = l.items[n:]
	l.next = max(l.next-n, 0)
	if len(l.items) == 0 {
		l.items = nil
	}
}

// cancel marks all events below seq as canceled.
func (l *freshList) cancel(seq uint64) {
	for i, item := range l.items {
		if item>>freshBits >= seq {
			break
		}
		if item&(freshCanceled|freshGone) == 0 {
			l.items[i] |= freshCanceled
			l.live--
		}
	}
}

// upTo returns the events of the list that are not above seq, canceled ones included.
func (l *freshList) upTo(seq uint64) []uint64 {
	var seqs []uint64
	for _, item := range l.items {
		if item>>freshBits > seq {
			break
		}
		if item&freshGone == 0 {
			seqs = append(seqs, item>>freshBits)
		}
	}
	return seqs
}

// downFrom and upFrom return at most n events of the list, from seq on in that direction.
func (l *freshList) downFrom(seq uint64, n int) []uint64 {
	i, _ := slices.BinarySearch(l.items, (seq+1)<<freshBits)
	var seqs []uint64
	for i--; i >= 0 && len(seqs) < n; i-- {
		if l.items[i]&freshGone == 0 {
			seqs = append(seqs, l.items[i]>>freshBits)
		}
	}
	return seqs
}

func (l *freshList) upFrom(seq uint64, n int) []uint64 {
	i, _ := slices.BinarySearch(l.items, seq<<freshBits)
	var seqs []uint64
	for ; i < len(l.items) && len(seqs) < n; i++ {
		if l.items[i]&freshGone == 0 {
			seqs = append(seqs, l.items[i]>>freshBits)
		}
	}
	return seqs
}

// oldest returns the first event that is pending.
func (l *freshList) oldest() (seq uint64, ok bool) {
	for _, item := range l.items {
		if item&(freshCanceled|freshGone) == 0 {
			return item >> freshBits, true
		}
	}
	return 0, false
}
