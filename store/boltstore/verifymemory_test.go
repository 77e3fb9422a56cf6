package boltstore

import "slices"

// memory checks that memory knows what is in the file.
func (v *verifier) memory() {
	s := v.store
	leases, leased := 0, [classes]int{}
	for num, q := range s.queues {
		counted := 0
		for _, l := range q.leases {
			if l.spot != 0 {
				counted++
			}
		}
		if counted != q.leased {
			v.errorf("subscription %d: %d leases are counted as %d", num, counted, q.leased)
		}
		leases += counted
		leased[q.health.class()] += counted
	}
	if n := len(s.tallies.slots); n > maxTallied+maxWeight {
		v.errorf("memory has %d slots of counts", n)
	}
	if leases != s.leases.Len() || leased != s.leased {
		v.errorf("%d leases, by class %d, are counted as %d and %d", leases, leased, s.leases.Len(), s.leased)
	}
	for num, here := range v.nums() {
		if q := s.queues[num]; q == nil && here {
			v.errorf("memory does not know subscription %d: %+v, rows %d, chunks %d, fresh %d",
				num, v.backlogs[num], v.rows[num], v.chunked[num], v.fresh[num])
		} else if q != nil {
			v.queue(q)
		}
	}
}

// oldest checks what memory knows of the oldest delivery that is not fresh.
func (v *verifier) oldest(q *queue) {
	oldest := uint64(0)
	for _, seq := range append(v.rows[q.num], v.chunked[q.num]...) {
		oldest = older(oldest, seq)
	}
	if known := q.stored.oldest; known != 0 && q.pending > 0 && known != oldest {
		v.errorf("subscription %d: memory has %d as the oldest, the file %d", q.num, known, oldest)
	}
}

// queue checks what memory knows of a subscription.
func (v *verifier) queue(q *queue) {
	v.oldest(q)
	if b := v.backlogs[q.num]; b != nil && (q.pending != b.pending || q.chunks != b.chunks || len(q.marks) != len(b.marks)) {
		v.errorf("subscription %d: memory knows %d %v %v of %+v", q.num, q.pending, q.chunks, q.marks, b)
	}
	var fresh []uint64
	for _, item := range q.fresh.items {
		if item&(freshGone|freshCanceled) == 0 {
			fresh = append(fresh, item>>freshBits)
		}
		if seq := item >> freshBits; item&(freshGone|freshCanceled) == 0 && (item&freshTaken != 0) != q.busy(seq) {
			v.errorf("subscription %d: event %d is fresh and taken: %v, leased: %v", q.num, seq, item&freshTaken != 0, q.busy(seq))
		}
	}
	if !slices.Equal(fresh, v.fresh[q.num]) || len(fresh) != q.fresh.live {
		v.errorf("subscription %d: memory has %d fresh, %d, the file has %d", q.num, fresh, q.fresh.live, v.fresh[q.num])
	}
	chunked := make(map[uint64]place)
	for _, seq := range v.chunked[q.num] {
		chunked[seq] = place{0, seq}
	}
	started, retries := make(map[uint64]place), make(map[uint64]place)
	for seq, p := range v.live[q.num] {
		if p.due == 0 {
			started[seq] = p
		} else {
			retries[seq] = p
		}
	}
	v.window(q, "chunked", &q.chunked, chunked)
	v.window(q, "started", &q.started, started)
	v.window(q, "retries", &q.retries, retries)
}

// window checks that a window has all that it should, and nothing else.
func (v *verifier) window(q *queue, name string, w *window, want map[uint64]place) {
	if !q.subscribed() {
		return
	}
	in := make(map[uint64]bool)
	for _, p := range w.places {
		in[p.seq] = true
		if want[p.seq] != p || q.busy(p.seq) {
			v.errorf("subscription %d: %s has %v, the file %v, leased: %v", q.num, name, p, want[p.seq], q.busy(p.seq))
		}
	}
	for seq, p := range want {
		if !in[seq] && !q.busy(seq) && (w.complete || comparePlaces(p, w.upTo) <= 0) {
			v.errorf("subscription %d: %s lacks %v, complete: %v, up to %v", q.num, name, p, w.complete, w.upTo)
		}
	}
}
