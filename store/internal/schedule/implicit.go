package schedule

import "slices"

// implicit lists the first attempts of a subscription that memory alone knows, in the order of
// their events, in eight bytes each. A delivery leaves the list when the store says that it is
// recorded elsewhere or has ended, not when it is claimed: until then it may be put back.
type implicit struct {
	items []uint64 // sequence numbers, ascending, with the flags below
	next  int      // nothing before it is free
	live  int      // how many are pending: neither gone nor canceled
	size  int      // how many are not gone
}

// The flags of an item are in its lowest bits.
const (
	taken    = 1 << iota // claimed
	canceled             // the subscription's canceling has ended it
	gone                 // not in the list any more
	flagBits = iota
)

// add puts in the event of a new delivery. It is nearly always the highest.
func (l *implicit) add(seq uint64) {
	i := len(l.items)
	for i > 0 && l.items[i-1]>>flagBits > seq {
		i--
	}
	if i > 0 && l.items[i-1]>>flagBits == seq { // it was in the list before
		if l.items[i-1]&gone == 0 {
			return
		}
		l.items[i-1] = seq << flagBits
		i--
	} else {
		l.items = slices.Insert(l.items, i, seq<<flagBits)
	}
	l.next = min(l.next, i)
	l.live++
	l.size++
}

// find returns the index of an event; ok is false if it is not in the list.
func (l *implicit) find(seq uint64) (i int, ok bool) {
	i, _ = slices.BinarySearch(l.items, seq<<flagBits)
	ok = i < len(l.items) && l.items[i]>>flagBits == seq && l.items[i]&gone == 0
	return i, ok
}

// has reports whether the event is in the list.
func (l *implicit) has(seq uint64) bool {
	_, ok := l.find(seq)
	return ok
}

// peek returns the first event that is free to be claimed.
func (l *implicit) peek() (seq uint64, ok bool) {
	for l.next < len(l.items) && l.items[l.next]&(taken|canceled|gone) != 0 {
		l.next++
	}
	if l.next == len(l.items) {
		return 0, false
	}
	return l.items[l.next] >> flagBits, true
}

// peekLast returns the last event that is free to be claimed.
func (l *implicit) peekLast() (seq uint64, ok bool) {
	for _, item := range slices.Backward(l.items) {
		if item&(taken|canceled|gone) == 0 {
			return item >> flagBits, true
		}
	}
	return 0, false
}

// take marks an event as claimed, if it is in the list.
func (l *implicit) take(seq uint64) {
	if i, ok := l.find(seq); ok {
		l.items[i] |= taken
	}
}

// putBack frees an event again, if it is in the list.
func (l *implicit) putBack(seq uint64) bool {
	i, ok := l.find(seq)
	if ok {
		l.items[i] &^= taken
		l.next = min(l.next, i)
	}
	return ok
}

// putBackAll frees all events.
func (l *implicit) putBackAll() {
	for i := range l.items {
		l.items[i] &^= taken
	}
	l.next = 0
}

// remove takes an event out, if it is in the list.
func (l *implicit) remove(seq uint64) {
	i, ok := l.find(seq)
	if !ok {
		return
	}
	if l.items[i]&canceled == 0 {
		l.live--
	}
	l.items[i] |= gone
	l.size--
	if i == 0 || i == len(l.items)-1 {
		l.trim()
	}
}

// trim forgets what is gone at both ends. What is gone in the middle stays until one of them reaches
// it: moving the rest for each would make a drain out of order quadratic.
func (l *implicit) trim() {
	for end := len(l.items) - 1; end >= 0 && l.items[end]&gone != 0; end-- {
		l.items = l.items[:end]
	}
	n := 0
	for n < len(l.items) && l.items[n]&gone != 0 {
		n++
	}
	l.items = l.items[n:]
	l.next = min(max(l.next-n, 0), len(l.items))
	if len(l.items) == 0 {
		l.items = nil
	}
}

// cancel marks all events below seq as canceled.
func (l *implicit) cancel(seq uint64) {
	for i, item := range l.items {
		if item>>flagBits >= seq {
			break
		}
		if item&(canceled|gone) == 0 {
			l.items[i] |= canceled
			l.live--
		}
	}
}

// upTo returns the events of the list that are not above seq, canceled ones included.
func (l *implicit) upTo(seq uint64) []uint64 {
	var seqs []uint64
	for _, item := range l.items {
		if item>>flagBits > seq {
			break
		}
		if item&gone == 0 {
			seqs = append(seqs, item>>flagBits)
		}
	}
	return seqs
}

// downFrom returns at most n events of the list, from seq on downwards.
func (l *implicit) downFrom(seq uint64, n int) []uint64 {
	i, _ := slices.BinarySearch(l.items, (seq+1)<<flagBits)
	var seqs []uint64
	for i--; i >= 0 && len(seqs) < n; i-- {
		if l.items[i]&gone == 0 {
			seqs = append(seqs, l.items[i]>>flagBits)
		}
	}
	return seqs
}

// upFrom returns at most n events of the list, from seq on upwards.
func (l *implicit) upFrom(seq uint64, n int) []uint64 {
	i, _ := slices.BinarySearch(l.items, seq<<flagBits)
	var seqs []uint64
	for ; i < len(l.items) && len(seqs) < n; i++ {
		if l.items[i]&gone == 0 {
			seqs = append(seqs, l.items[i]>>flagBits)
		}
	}
	return seqs
}

// oldest returns the first event that is pending.
func (l *implicit) oldest() (seq uint64, ok bool) {
	for _, item := range l.items {
		if item&(canceled|gone) == 0 {
			return item >> flagBits, true
		}
	}
	return 0, false
}
