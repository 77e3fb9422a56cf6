package schedule_test

import (
	"maps"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
	"pgregory.net/rapid"
)

// pending is a delivery in the file.
type pending struct {
	source   order.Source // Implicit: from the event alone
	due      int64        // 0 for a first attempt
	blocked  bool
	became   uint64 // orders it against cancelings
	attempts int
}

func (p pending) position(seq uint64) order.Position {
	return order.Position{Due: p.due, Seq: seq}
}

// stored is a subscription in the file.
type stored struct {
	state   schedule.State
	pending map[uint64]pending // by event
	ended   map[uint64]int     // attempts of what is not pending any more
}

// file is what is committed.
type file map[uint64]*stored

func (f file) clone() file {
	c := make(file, len(f))
	for num, s := range f {
		c[num] = &stored{s.state, maps.Clone(s.pending), maps.Clone(s.ended)}
	}
	return c
}

func newStored(state schedule.State) *stored {
	return &stored{state, make(map[uint64]pending), make(map[uint64]int)}
}

// read returns what a snapshot of the file has for a lack.
func (m *model) read(lack *schedule.Lack) schedule.Loaded {
	f := m.file[lack.Num]
	if f == nil {
		f = newStored(schedule.State{Health: new(store.Health)})
	}
	var loaded schedule.Loaded
	if lack.State {
		state := f.state
		loaded.State = &state
	}
	for i := range lack.Windows {
		if w := &lack.Windows[i]; w.Needed {
			loaded.Windows[i] = m.readWindow(f, order.Source(i), w)
		}
	}
	return loaded
}

func (m *model) readWindow(
	f *stored, source order.Source, lack *schedule.WindowLack,
) schedule.LoadedWindow {
	var all []order.Position
	for seq, p := range f.pending {
		if at := p.position(seq); p.source == source && !p.blocked &&
			(lack.Newest || at.Compare(lack.After) > 0) {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, order.Position.Compare)
	if lack.Newest { // more than there may be leases
		return schedule.LoadedWindow{OK: true, Positions: all[max(0, len(all)-newest):]}
	}
	w := schedule.LoadedWindow{OK: true, UpTo: lack.After, Complete: true}
	if n := rapid.IntRange(1, m.window).Draw(m.t, "n"); len(all) > n {
		all, w.Complete = all[:n], false
	}
	if len(all) > 0 {
		w.UpTo, w.Positions = all[len(all)-1], all
	}
	return w
}

// newest is how many positions are read from the other end.
const newest = 64
