// Package implicit lists the first attempts of a subscription that memory alone knows: the store
// has no record of them but the event itself.
//
// There may be a great many of them, so each takes eight bytes. A list is in the order of the
// events, so that what is next and what is newest are found without a search.
package implicit

import "slices"

// List is a list of first attempts. A delivery leaves it when the store says that it is recorded
// elsewhere or has ended, not when it is claimed: until then it may be put back. The zero List is
// empty. It is not safe for concurrent use.
type List struct {
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

// Add puts in the event of a new delivery. It is nearly always the highest.
func (l *List) Add(seq uint64) {
	i := len(l.items) // a search from the end is short: what comes is the newest or close to it
	for i > 0 && l.items[i-1]>>flagBits > seq {
		i--
	}
	if i > 0 && l.items[i-1]>>flagBits == seq { // it was in the list before
		if l.items[i-1]&gone == 0 {
			return
		}
		// In its old place: find expects each event once.
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
func (l *List) find(seq uint64) (i int, ok bool) {
	// An item is never below its event without flags, and always below the next event. So the
	// search stops at it with any flags.
	i, _ = slices.BinarySearch(l.items, seq<<flagBits)
	ok = i < len(l.items) && l.items[i]>>flagBits == seq && l.items[i]&gone == 0
	return i, ok
}

// Has reports whether the event is in the list.
func (l *List) Has(seq uint64) bool {
	_, ok := l.find(seq)
	return ok
}

// Peek returns the first event that is free to be claimed.
func (l *List) Peek() (seq uint64, ok bool) {
	// Only PutBack and Add move next back, so a drain passes each item once.
	for l.next < len(l.items) && l.items[l.next]&(taken|canceled|gone) != 0 {
		l.next++
	}
	if l.next == len(l.items) {
		return 0, false
	}
	return l.items[l.next] >> flagBits, true
}

// PeekLast returns the last event that is free to be claimed.
func (l *List) PeekLast() (seq uint64, ok bool) {
	for _, item := range slices.Backward(l.items) {
		if item&(taken|canceled|gone) == 0 {
			return item >> flagBits, true
		}
	}
	return 0, false
}

// Take marks an event as claimed, if it is in the list.
func (l *List) Take(seq uint64) {
	if i, ok := l.find(seq); ok {
		// Next stays, since others before it may be free: probes take from the other end.
		l.items[i] |= taken
	}
}

// PutBack frees an event again, if it is in the list.
func (l *List) PutBack(seq uint64) bool {
	i, ok := l.find(seq)
	if ok {
		l.items[i] &^= taken
		l.next = min(l.next, i)
	}
	return ok
}

// PutBackAll frees all events.
func (l *List) PutBackAll() {
	for i := range l.items {
		l.items[i] &^= taken
	}
	l.next = 0
}

// Remove takes an event out, if it is in the list.
func (l *List) Remove(seq uint64) {
	i, ok := l.find(seq)
	if !ok {
		return
	}
	if l.items[i]&canceled == 0 { // Cancel has counted the others
		l.live--
	}
	l.items[i] |= gone
	l.size--
	if i == 0 || i == len(l.items)-1 {
		l.trim()
	}
}

// trim forgets what is gone at both ends. What is gone in the middle stays until one of them
// reaches it: moving the rest for each would make a drain out of order quadratic.
func (l *List) trim() {
	for end := len(l.items) - 1; end >= 0 && l.items[end]&gone != 0; end-- {
		l.items = l.items[:end]
	}
	n := 0
	for n < len(l.items) && l.items[n]&gone != 0 {
		n++
	}
	l.items = l.items[n:]
	l.next = min(max(l.next-n, 0), len(l.items))
	// The array of a backlog that is gone would stay as long as the subscription.
	if len(l.items) == 0 {
		l.items = nil
	}
}

// Cancel marks all events below seq as canceled.
func (l *List) Cancel(seq uint64) {
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

// UpTo returns the events of the list that are not above seq, canceled ones included.
func (l *List) UpTo(seq uint64) []uint64 {
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

// DownFrom returns at most n events of the list, from seq on downwards.
func (l *List) DownFrom(seq uint64, n int) []uint64 {
	i, _ := slices.BinarySearch(l.items, (seq+1)<<flagBits)
	var seqs []uint64
	for i--; i >= 0 && len(seqs) < n; i-- {
		if l.items[i]&gone == 0 {
			seqs = append(seqs, l.items[i]>>flagBits)
		}
	}
	return seqs
}

// UpFrom returns at most n events of the list, from seq on upwards.
func (l *List) UpFrom(seq uint64, n int) []uint64 {
	i, _ := slices.BinarySearch(l.items, seq<<flagBits)
	var seqs []uint64
	for ; i < len(l.items) && len(seqs) < n; i++ {
		if l.items[i]&gone == 0 {
			seqs = append(seqs, l.items[i]>>flagBits)
		}
	}
	return seqs
}

// Oldest returns the first event that is pending.
func (l *List) Oldest() (seq uint64, ok bool) {
	for _, item := range l.items {
		if item&(canceled|gone) == 0 {
			return item >> flagBits, true
		}
	}
	return 0, false
}

// First returns the first event of the list, pending or not; ok is false if the list is empty.
func (l *List) First() (seq uint64, ok bool) {
	if len(l.items) == 0 {
		return 0, false
	}
	return l.items[0] >> flagBits, true // what is gone at the front is trimmed
}

// Len returns how many events the list has, and how many of them are pending.
func (l *List) Len() (all, pending int) { return l.size, l.live }

// Item is an event of a list.
type Item struct {
	Seq             uint64
	Taken, Canceled bool
}

// Items returns a copy of what the list has.
func (l *List) Items() (items []Item) {
	for _, item := range l.items {
		if item&gone == 0 {
			items = append(items, Item{item >> flagBits, item&taken != 0, item&canceled != 0})
		}
	}
	return items
}
