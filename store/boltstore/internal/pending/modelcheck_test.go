package pending

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
)

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
		for _, state := range store.States() {
			key := StateKey(id.Num, state, id.Seq)
			want := found.Stored && found.RowState() == state && state != store.Delivered
			if got := m.buckets.Get(States, key[:]) != nil; got != want {
				m.t.Errorf("%v: row says %s, and the index has it as %s: %v", id, found.RowState(),
					state, got)
			}
		}
		key := record.Key3(id.Num, d.key, id.Seq)
		if got := m.buckets.Get(Keyed, key[:]) != nil; d.key != 0 && got != found.Listed() {
			m.t.Errorf("%v is listed in its key: %v, want %v", id, got, found.Listed())
		}
	}
	for _, key := range m.buckets[States].keys {
		id := ID{record.KeyNumber([]byte(key), 0), record.KeyNumber([]byte(key), 2)}
		if m.deliveries[id] == nil {
			m.t.Errorf("%v is in the index of states, and there is no such delivery", id)
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
	var first, retries, packed []order.Position
	oldest := uint64(0)
	count := 0
	for _, seq := range m.pending(num) {
		d := m.deliveries[ID{num, seq}]
		if m.implicit[num][seq] {
			continue
		}
		if count++; !d.row {
			packed = append(packed, order.Position{Seq: seq})
		} else if d.key != 0 && m.firstOfKey(num, d.key) != seq {
			continue // blocked
		} else if d.atOnce != 0 {
			retries = append(retries, order.Position{Due: d.atOnce, Seq: seq})
		} else if d.attempts == 0 {
			first = append(first, order.Position{Seq: seq})
		} else {
			retries = append(retries, order.Position{Due: d.due, Seq: seq})
		}
		if oldest == 0 {
			oldest = seq
		}
	}
	slices.SortFunc(retries, order.Position.Compare)
	open := m.unsettled(num)
	settled := func(ps []order.Position) []order.Position {
		return slices.DeleteFunc(ps, func(p order.Position) bool { return open[p.Seq] })
	}
	windows := []struct {
		source order.Source
		want   []order.Position
	}{{order.Packed, packed}, {order.First, first}, {order.Retry, retries}}
	for _, w := range windows {
		got, want := settled(m.window(s, num, w.source)), settled(w.want)
		if !slices.Equal(got, want) {
			m.t.Errorf("subscription %d: window %d has %v, want %v", num, w.source, got, want)
		}
		if w.source == order.Retry {
			continue
		}
		newest := settled(s.Newest(num, w.source))
		if want = want[len(want)-min(len(newest), len(want)):]; !slices.Equal(newest, want) ||
			len(newest) < min(len(got), MaxWindow) && len(open) == 0 {
			m.t.Errorf("subscription %d: the newest of %d are %v, want %v", num, w.source, newest,
				got)
		}
	}
	if got, err := m.oldest(s, num); err != nil || got != oldest && len(open) == 0 {
		m.t.Errorf("subscription %d: the oldest is %d, %v, want %d", num, got, err, oldest)
	}
	b, err := s.Backlogs.Get(num)
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
func (m *model) window(s *Set, num uint64, source order.Source) (all []order.Position) {
	var after order.Position
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
	var from order.Position
	for more := true; more && err == nil; {
		from, oldest, more, err = s.OldestDue(num, from, oldest)
	}
	return oldest, err
}
