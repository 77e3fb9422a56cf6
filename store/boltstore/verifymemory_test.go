package boltstore

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// memory checks that memory knows what is in the file.
func (v *verifier) memory() {
	s := v.store
	leases, leased := 0, [store.Classes]int{}
	s.db.Memory.Schedule.Subs(func(q *memory.Queue) {
		counted := q.Inspect().Counted
		if counted != q.Leased() {
			v.errorf("subscription %d: %d leases are counted as %d", q.Num, counted, q.Leased())
		}
		leases += counted
		leased[q.Health().Class()] += counted
	})
	if n, _ := s.db.Memory.Counts.Len(); n > database.MaxUnwritten {
		v.errorf("memory has %d slots of counts", n)
	}
	if byClass, running := s.db.Memory.Schedule.Counted(); leases != running ||
		leased != byClass {
		v.errorf("%d leases, by class %d, are counted as %d and %d", leases, leased, running,
			byClass)
	}
	for num, here := range v.nums() {
		if q := s.db.Memory.Schedule.Sub(num); q == nil && here {
			v.errorf("memory does not know subscription %d: %+v, rows %d, chunks %d, fresh %d",
				num, v.backlogs[num], v.rows[num], v.chunked[num], v.fresh[num])
		} else if q != nil {
			v.queue(q)
		}
	}
}

// oldest checks what Stats has from memory of the oldest pending delivery. One that waits for
// another of its key does not count before that one has ended: it is younger.
func (v *verifier) oldest(q *memory.Queue) {
	known := q.Data.Oldest.Seq
	if known == 0 || q.Data.Pending == 0 {
		return
	}
	want := uint64(0)
	for _, seqs := range [][]uint64{v.rows[q.Num], v.chunked[q.Num], v.fresh[q.Num]} {
		for _, seq := range seqs {
			want = memory.Older(want, seq)
		}
	}
	_, implicit := q.ImplicitPending()
	if got := memory.Older(known, implicit); got != want {
		v.errorf("subscription %d: memory has %d as the oldest, the file %d", q.Num, got, want)
	}
}

// queue checks what memory knows of a subscription.
func (v *verifier) queue(q *memory.Queue) {
	v.oldest(q)
	d, num := &q.Data, q.Num
	if b := v.backlogs[num]; b != nil && (d.Pending != b.Pending || d.Chunks != b.Chunks ||
		len(d.Marks) != len(b.Marks)) {
		v.errorf("subscription %d: memory knows %d %v %v of %+v", num, d.Pending, d.Chunks, d.Marks,
			b)
	}
	in := q.Inspect()
	var fresh []uint64
	for _, item := range in.Implicit {
		if item.Canceled {
			continue
		}
		fresh = append(fresh, item.Seq)
		if item.Taken != q.Busy(item.Seq) {
			v.errorf("subscription %d: event %d is fresh and taken: %v, leased: %v", num, item.Seq,
				item.Taken, q.Busy(item.Seq))
		}
	}
	if live, _ := q.ImplicitPending(); !slices.Equal(fresh, v.fresh[num]) || len(fresh) != live {
		v.errorf("subscription %d: memory has %d fresh, %d, the file has %d", num, fresh, live,
			v.fresh[num])
	}
	packed, first := make(map[uint64]order.Position), make(map[uint64]order.Position)
	retries := make(map[uint64]order.Position)
	for _, seq := range v.chunked[num] {
		packed[seq] = order.Position{Seq: seq}
	}
	for seq, p := range v.live[num] {
		if p.Due == 0 {
			first[seq] = p
		} else {
			retries[seq] = p
		}
	}
	v.window(q, "packed", in.Windows[order.Packed], packed)
	v.window(q, "first", in.Windows[order.First], first)
	v.window(q, "retries", in.Windows[order.Retry], retries)
}

// window checks that a window has all that it should, and nothing else.
func (v *verifier) window(q *memory.Queue, name string, w schedule.InspectedWindow,
	want map[uint64]order.Position) {
	if !q.Active() {
		return
	}
	in := make(map[uint64]bool)
	for _, p := range w.Positions {
		in[p.Seq] = true
		if want[p.Seq] != p || q.Busy(p.Seq) {
			v.errorf("subscription %d: %s has %v, the file %v, leased: %v", q.Num, name, p,
				want[p.Seq], q.Busy(p.Seq))
		}
	}
	for seq, p := range want {
		if !in[seq] && !q.Busy(seq) && (w.Complete || p.Compare(w.UpTo) <= 0) {
			v.errorf("subscription %d: %s lacks %v, complete: %v, up to %v", q.Num, name, p,
				w.Complete, w.UpTo)
		}
	}
}
