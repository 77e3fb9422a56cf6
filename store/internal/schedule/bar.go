package schedule

// Bar keeps the deliveries of an event from being claimed, of all subscriptions. Their leases end.
// The store bars an event whose deliveries it ends one after the other, in many small steps, and
// calls Change for each in its step.
func (s *Schedule[Q, L]) Bar(seq uint64, now int64) {
	if s.barred == nil {
		s.barred = make(barred)
	}
	s.barred[seq] = struct{}{}
	for _, l := range s.tokens { // of all events: there are no more than are leased
		if l.Seq == seq {
			s.End(l, now)
		}
	}
}

// barred are events whose deliveries may not be claimed.
type barred map[uint64]struct{}

// Unbar ends Bar, after the last of the event's deliveries has had its Change.
func (b barred) Unbar(seq uint64) { delete(b, seq) }

func (b barred) has(seq uint64) bool {
	_, ok := b[seq]
	return ok
}
