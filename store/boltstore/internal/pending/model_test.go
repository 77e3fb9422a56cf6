package pending

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/schedule"
)

// TestModel does random operations, each in a transaction of its own, and checks after each that
// the set agrees with a plain map of what is pending.
func TestModel(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newModel(t, rand.New(rand.NewPCG(seed, 7)))
			for i := range 150 {
				m.step()
				m.check()
				if t.Failed() {
					t.Fatalf("seed %d, step %d: %s", seed, i, m.last)
				}
			}
		})
	}
}

// modelState is a delivery as the model has it.
type modelState struct {
	key      uint64
	state    store.State
	asOf     uint64
	attempts int
	due      int64
	atOnce   int64 // see record.Row
	row      bool  // it has been written
}

// model is a set over buckets in memory, and what is to be in it.
type model struct {
	t    *testing.T
	rand *rand.Rand
	last string // the operation

	buckets mapBuckets
	erasing erasing
	seq     uint64
	clock   int64
	// The watermark, and where it goes. What is implicit up to rising is spilled by subscription.
	watermark, rising uint64
	toSpill           []uint64

	nums       []uint64
	recipients map[uint64][]uint64        // of each event
	deliveries map[ID]*modelState         // all, pending or not
	implicit   map[uint64]map[uint64]bool // as memory lists it: by subscription
	backlogs   map[uint64]record.Backlog  // as memory knows them
	canceled   map[uint64]uint64          // by subscription: the number of its last mark
}

func newModel(t *testing.T, r *rand.Rand) *model {
	m := &model{
		t: t, rand: r, nums: []uint64{1, 2, 3}, erasing: erasing{},
		recipients: make(map[uint64][]uint64), deliveries: make(map[ID]*modelState),
		implicit: make(map[uint64]map[uint64]bool), backlogs: make(map[uint64]record.Backlog),
		canceled: make(map[uint64]uint64),
	}
	for _, num := range m.nums {
		m.implicit[num] = make(map[uint64]bool)
	}
	return m
}

// transact runs f in a transaction, and has memory learn of it.
func (m *model) transact(f func(s *Set) error) {
	m.t.Helper()
	var s Set
	var c changes
	s.Init(&m.buckets, m.erasing, &c, m.watermark, m.rising)
	err := f(&s)
	if err == nil {
		err = s.Flush()
	}
	if err != nil {
		m.t.Fatalf("%s: %v", m.last, err)
	}
	for _, ch := range c.deliveries {
		delete(m.implicit[ch.Num], ch.Seq)
		d := m.deliveries[ch.ID]
		d.row = true
		blocked := m.firstOfKey(ch.Num, d.key) != ch.Seq
		if d.key != 0 && ch.Pending && ch.Blocked != blocked && !m.unsettled(ch.Num)[ch.Seq] {
			m.t.Errorf("%v: blocked %v, and the first of its key is %d",
				ch.ID, ch.Blocked, m.firstOfKey(ch.Num, d.key))
		}
	}
	maps.Copy(m.backlogs, c.backlogs)
	if len(c.backlogs) > 0 && c.edits == 0 {
		m.t.Errorf("%s: backlogs were written, and nobody was told before", m.last)
	}
}

// pending returns the events of a subscription that are pending, in ascending order.
func (m *model) pending(num uint64) (seqs []uint64) {
	for id, d := range m.deliveries {
		if id.Num == num && d.state == store.Pending {
			seqs = append(seqs, id.Seq)
		}
	}
	slices.Sort(seqs)
	return seqs
}

// firstOfKey returns the first pending event of a key; 0 if there is none.
func (m *model) firstOfKey(num, key uint64) uint64 {
	for _, seq := range m.pending(num) {
		if m.deliveries[ID{num, seq}].key == key {
			return seq
		}
	}
	return 0
}

// unsettled returns the deliveries of a subscription of which an erasure leaves open, until its
// last step, whether they can be claimed: those of its event, and those that share a key with them.
func (m *model) unsettled(num uint64) map[uint64]bool {
	open := make(map[uint64]bool)
	for seq := range m.erasing {
		erased := m.deliveries[ID{num, seq}]
		if erased == nil {
			continue
		}
		open[seq] = true
		for id, d := range m.deliveries {
			if id.Num == num && d.key != 0 && d.key == erased.key {
				open[id.Seq] = true
			}
		}
	}
	return open
}

// some returns a random delivery in one of the states; ok is false if there is none.
func (m *model) some(in func(*modelState) bool) (id ID, ok bool) {
	var ids []ID
	for id, d := range m.deliveries {
		if in(d) && m.erasing[id.Seq] == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ID{}, false
	}
	slices.SortFunc(ids, ID.Compare)
	return ids[m.rand.IntN(len(ids))], true
}

func (m *model) step() {
	m.clock++
	switch n := m.rand.IntN(100); {
	case n < 30:
		m.enqueue()
	case n < 55:
		m.finish()
	case n < 65:
		m.requeue()
	case n < 71:
		m.cancelAll()
	case n < 77:
		m.purge()
	case n < 81:
		m.erase()
	case n < 90:
		m.spill()
	case n < 95:
		m.trim()
	default:
		m.prune()
	}
}

// enqueue stores an event for some of the subscriptions, often with a key.
func (m *model) enqueue() {
	m.last = "enqueue"
	m.seq++
	key := uint64(m.rand.IntN(4)) // 0 is none
	nums := slices.DeleteFunc(slices.Clone(m.nums), func(uint64) bool { return m.rand.IntN(4) == 0 })
	m.recipients[m.seq] = nums
	for _, num := range nums {
		m.deliveries[ID{num, m.seq}] = &modelState{key: key, state: store.Pending, asOf: m.seq}
		m.implicit[num][m.seq] = true // a Change takes it out
	}
	m.transact(func(s *Set) error {
		for _, num := range nums {
			if key == 0 {
				continue
			}
			id := ID{num, m.seq}
			blocked, err := s.AddKeyed(id, key)
			if err != nil || !blocked {
				if err != nil {
					return err
				}
				continue
			}
			row := record.Row{State: store.Pending, AsOf: m.seq, KeyHash: key, Blocked: true}
			if err := s.Create(id, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// change makes a delivery something else.
func (m *model) change(id ID, edit func(d *Delivery)) {
	m.transact(func(s *Set) error {
		was, ok, err := s.Find(id.Num, id.Seq, m.deliveries[id].key)
		if err != nil || !ok {
			return fmt.Errorf("%v was found: %v, %w", id, ok, err)
		}
		is := was
		edit(&is)
		return s.Transition(id, was, is, true)
	})
}

// finish ends a pending delivery, or has it tried again later.
func (m *model) finish() {
	m.last = "finish"
	id, ok := m.some(func(d *modelState) bool { return d.state == store.Pending })
	if !ok {
		return
	}
	d := m.deliveries[id]
	retry := m.rand.IntN(3) == 0
	d.attempts++
	d.due, d.atOnce = 0, 0
	switch {
	case !retry:
		d.state = store.Delivered
	case m.rand.IntN(3) == 0:
		m.last, d.due, d.atOnce = "park", m.clock, schedule.Parked(d.attempts)
	default:
		m.last, d.due = "retry", m.clock+int64(m.rand.IntN(50))
	}
	m.change(id, func(is *Delivery) {
		is.State, is.Due, is.AtOnce, is.Attempts = d.state, d.due, d.atOnce, d.attempts
		is.Log = record.AppendAttempt(slices.Clip(is.Log), &store.Attempt{Response: []byte("answer")})
		if !retry {
			is.Blocked, is.FinishedAt = false, m.clock
		}
	})
}

// requeue makes a finished delivery pending again.
func (m *model) requeue() {
	m.last = "requeue"
	id, ok := m.some(func(d *modelState) bool { return d.state != store.Pending })
	if !ok {
		return
	}
	m.seq++ // the number as of which it is pending
	d := m.deliveries[id]
	d.state, d.asOf, d.due, d.atOnce = store.Pending, m.seq, m.clock, schedule.Asked
	m.change(id, func(is *Delivery) {
		is.State, is.AsOf, is.Due, is.FinishedAt, is.Reason = store.Pending, m.seq, m.clock, 0, ""
		is.AtOnce = schedule.Asked
	})
}

// cancelAll cancels all that is pending for a subscription.
func (m *model) cancelAll() {
	m.last = "cancel all"
	num := m.nums[m.rand.IntN(len(m.nums))]
	m.seq++
	for _, seq := range m.pending(num) {
		m.deliveries[ID{num, seq}].state = store.Canceled
	}
	m.canceled[num] = m.seq
	m.transact(func(s *Set) error {
		_, err := s.CancelAll(num, record.Mark{Seq: m.seq, At: m.clock, Reason: "unsubscribed"})
		return err
	})
}

// purge writes what marks and erasures say into the rows, all or a part of it.
func (m *model) purge() {
	m.last = "purge"
	all := m.rand.IntN(2) == 0
	var ids []ID
	for id := range m.deliveries {
		if all || m.rand.IntN(2) == 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, ID.Compare)
	m.transact(func(s *Set) error {
		for _, id := range ids {
			was, ok, err := s.Find(id.Num, id.Seq, m.deliveries[id].key)
			if err != nil {
				return err
			}
			if !ok || !was.Marked && !was.Outdated {
				continue
			}
			is := was
			if was.Marked {
				is.Blocked, is.Due, is.AtOnce = false, 0, 0
			}
			if err := s.Transition(id, was, is, was.Marked); err != nil {
				return err
			}
		}
		if !all {
			return nil
		}
		for _, num := range m.nums {
			if none, err := s.DropMarks(num, m.canceled[num]); err != nil || !none {
				return fmt.Errorf("subscription %d has marks left, %w", num, err)
			}
		}
		clear(m.erasing)
		return nil
	})
}

// erase erases an event. A finished delivery of it keeps its state.
func (m *model) erase() {
	m.last = "erase"
	id, ok := m.some(func(*modelState) bool { return true })
	if !ok {
		return
	}
	m.seq++
	m.erasing[id.Seq] = &record.Erasure{Seq: id.Seq, AsOf: m.seq, At: m.clock}
	for _, num := range m.recipients[id.Seq] {
		if d := m.deliveries[ID{num, id.Seq}]; d != nil && d.state == store.Pending {
			d.state = store.Canceled
		}
	}
}

// spill has the watermark rise by a part.
func (m *model) spill() {
	m.last = "spill"
	if m.toSpill == nil {
		if m.seq == m.watermark {
			return
		}
		m.rising = m.watermark + 1 + m.rand.Uint64N(m.seq-m.watermark)
		m.toSpill = slices.Clone(m.nums)
	}
	num := m.toSpill[0]
	m.toSpill = m.toSpill[1:]
	var seqs []uint64
	for seq := range m.implicit[num] {
		if seq <= m.rising {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	m.transact(func(s *Set) error {
		if len(seqs) > 0 && m.rand.IntN(2) == 0 { // an operation of the same transaction comes before
			if err := m.retry(s, ID{num, seqs[m.rand.IntN(len(seqs))]}); err != nil {
				return err
			}
		}
		packed, err := s.Spill(num, seqs, m.backlogs[num])
		for _, seq := range packed {
			delete(m.implicit[num], seq)
		}
		return err
	})
	if len(m.toSpill) == 0 {
		m.watermark, m.toSpill = m.rising, nil
	}
}

// retry has a delivery tried again, if it is pending.
func (m *model) retry(s *Set, id ID) error {
	d := m.deliveries[id]
	was, ok, err := s.Find(id.Num, id.Seq, d.key)
	if err != nil || !ok || !was.Pending() {
		return err
	}
	d.attempts, d.due, d.atOnce = d.attempts+1, m.clock, 0
	is := was
	is.Attempts, is.Due, is.AtOnce = d.attempts, d.due, 0
	is.Log = record.AppendAttempt(slices.Clip(is.Log), &store.Attempt{})
	return s.Transition(id, was, is, true)
}

// trim removes chunks below everything that is pending or needed by a purge.
func (m *model) trim() {
	m.last = "trim"
	num := m.nums[m.rand.IntN(len(m.nums))]
	floor := m.seq + 1
	for id, d := range m.deliveries {
		if id.Num == num && !d.row {
			floor = min(floor, id.Seq)
		}
	}
	m.transact(func(s *Set) error { return s.Trim(num, floor, 2) })
}

// prune removes the row of a finished delivery below the watermark.
func (m *model) prune() {
	m.last = "prune"
	id, ok := m.some(func(d *modelState) bool { return d.state != store.Pending && d.row })
	if !ok || id.Seq > m.watermark {
		return
	}
	removed := false
	m.transact(func(s *Set) error {
		d, ok, err := s.Find(id.Num, id.Seq, m.deliveries[id].key)
		if err != nil || !ok || d.Marked || !d.Stored {
			return err
		}
		removed = true
		return s.RemoveRow(id, &d)
	})
	if removed {
		delete(m.deliveries, id)
		m.recipients[id.Seq] = slices.DeleteFunc(m.recipients[id.Seq], func(num uint64) bool {
			return num == id.Num
		})
	}
}

// check compares the set with the model.
func (m *model) check() {
	m.t.Helper()
	var s Set
	s.Init(&m.buckets, m.erasing, new(changes), m.watermark, m.rising)
	for id, d := range m.deliveries {
		found, ok, err := s.Find(id.Num, id.Seq, d.key)
		if err != nil || !ok || found.State != d.state || found.Pending() && found.AsOf != d.asOf {
			m.t.Errorf("%v: found %+v, %v, %v, want %+v", id, found, ok, err, *d)
		}
		if has, err := s.Has(id.Num, id.Seq); err != nil || has != (d.state == store.Pending) {
			m.t.Errorf("%v: pending: %v, %v, want %v", id, has, err, d.state)
		}
		key := record.Key3(id.Num, d.key, id.Seq)
		if got := m.buckets.Get(Keyed, key[:]) != nil; d.key != 0 && got != found.Listed() {
			m.t.Errorf("%v is listed in its key: %v, want %v", id, got, found.Listed())
		}
	}
	for _, num := range m.nums {
		m.checkSubscription(&s, num)
	}
}

// checkSubscription compares what is pending for a subscription, its order, its oldest and its
// count.
func (m *model) checkSubscription(s *Set, num uint64) {
	m.t.Helper()
	var first, retries, packed []schedule.Position
	oldest := uint64(0)
	count := 0
	for _, seq := range m.pending(num) {
		d := m.deliveries[ID{num, seq}]
		if m.implicit[num][seq] {
			continue
		}
		if count++; !d.row {
			packed = append(packed, schedule.Position{Seq: seq})
		} else if d.key != 0 && m.firstOfKey(num, d.key) != seq {
			continue // blocked
		} else if d.atOnce != 0 {
			retries = append(retries, schedule.Position{Due: d.atOnce, Seq: seq})
		} else if d.attempts == 0 {
			first = append(first, schedule.Position{Seq: seq})
		} else {
			retries = append(retries, schedule.Position{Due: d.due, Seq: seq})
		}
		if oldest == 0 {
			oldest = seq
		}
	}
	slices.SortFunc(retries, schedule.Position.Compare)
	open := m.unsettled(num)
	settled := func(ps []schedule.Position) []schedule.Position {
		return slices.DeleteFunc(ps, func(p schedule.Position) bool { return open[p.Seq] })
	}
	windows := []struct {
		source schedule.Source
		want   []schedule.Position
	}{{schedule.Packed, packed}, {schedule.First, first}, {schedule.Retry, retries}}
	for _, w := range windows {
		got, want := settled(m.window(s, num, w.source)), settled(w.want)
		if !slices.Equal(got, want) {
			m.t.Errorf("subscription %d: window %d has %v, want %v", num, w.source, got, want)
		}
		if w.source == schedule.Retry {
			continue
		}
		newest := settled(s.Newest(num, w.source))
		if want = want[len(want)-min(len(newest), len(want)):]; !slices.Equal(newest, want) ||
			len(newest) < min(len(got), MaxWindow) && len(open) == 0 {
			m.t.Errorf("subscription %d: the newest of %d are %v, want %v", num, w.source, newest, got)
		}
	}
	if got, err := m.oldest(s, num); err != nil || got != oldest && len(open) == 0 {
		m.t.Errorf("subscription %d: the oldest is %d, %v, want %d", num, got, err, oldest)
	}
	b, err := s.Backlog(num)
	// What an erasure alone has canceled is counted until it is purged.
	for seq := range m.erasing {
		d, ok, err := s.Find(num, seq, 0)
		if err != nil || !ok || !d.Counted {
			continue
		}
		if packed, err := s.Packed(num, seq); d.Stored || packed && err == nil {
			count++
		}
	}
	if err != nil || b.Pending != count || m.backlogs[num].Pending != count {
		m.t.Errorf("subscription %d: %d are counted, memory has %d, %v, want %d",
			num, b.Pending, m.backlogs[num].Pending, err, count)
	}
}

// window reads an order to its end.
func (m *model) window(s *Set, num uint64, source schedule.Source) (all []schedule.Position) {
	var after schedule.Position
	for range 100 {
		w, err := s.Window(num, source, after)
		if err != nil || !w.OK {
			m.t.Fatalf("window: %+v, %v", w, err)
		}
		all = append(all, w.Positions...)
		if w.Complete {
			return all
		}
		after = w.UpTo
	}
	m.t.Fatal("a window has no end")
	return nil
}

func (m *model) oldest(s *Set, num uint64) (uint64, error) {
	oldest, err := s.OldestPacked(num, 0)
	var from schedule.Position
	for more := true; more && err == nil; {
		from, oldest, more, err = s.OldestDue(num, from, oldest)
	}
	return oldest, err
}
