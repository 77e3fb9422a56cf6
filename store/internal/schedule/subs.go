package schedule

// subs are the Subs that there are, by the numbers of their subscriptions.
type subs[Q, L any] struct {
	byNum   map[uint64]*Sub[Q, L]
	last    uint64       // how many there were
	unknown []*Sub[Q, L] // those whose State is to be loaded before anything is claimed
}

// Sub returns what is known of a subscription; nil if nothing is.
func (ss *subs[Q, L]) Sub(num uint64) *Sub[Q, L] { return ss.byNum[num] }

// Len returns how many Subs there are.
func (ss *subs[Q, L]) Len() int { return len(ss.byNum) }

// Subs calls f for each Sub, in no order.
func (ss *subs[Q, L]) Subs(f func(*Sub[Q, L])) {
	for _, q := range ss.byNum {
		f(q)
	}
}

// add adds a Sub of which nothing is known.
func (ss *subs[Q, L]) add(num uint64) *Sub[Q, L] {
	ss.last++
	q := &Sub[Q, L]{Num: num, id: ss.last, health: &unknown}
	ss.byNum[num] = q
	ss.unknown = append(ss.unknown, q)
	return q
}

// nextUnknown returns one whose State is not known, once for each time that it was noted; nil if
// there is none. Those that were forgotten since, or made known, are passed over.
func (ss *subs[Q, L]) nextUnknown() *Sub[Q, L] {
	for len(ss.unknown) > 0 {
		q := ss.unknown[0]
		if ss.unknown = ss.unknown[1:]; len(ss.unknown) == 0 {
			ss.unknown = nil
		}
		if ss.byNum[q.Num] == q && !q.known {
			return q
		}
	}
	return nil
}
