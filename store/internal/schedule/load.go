package schedule

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
)

// maxLacks bounds what one round asks for at once.
const maxLacks = 256

// Lack is what the store must load before a round can go on: for one subscription its state and
// health, and parts of its windows. It must be read from a snapshot that is begun after Run has
// returned it, and be answered by one call of [Schedule.Load]. The store must have told the
// schedule of each commit before it begins the next.
type Lack struct {
	Num     uint64
	State   bool // its State is needed
	Windows [order.Windows]WindowLack

	sub    uint64 // which Sub it is for: another may have got the number since
	states uint32
}

// WindowLack is a part of a window that is needed.
type WindowLack struct {
	Needed bool
	After  order.Position // what comes after this position
	Newest bool           // or else, and then After says nothing, the last of all that there is
	loads  uint32
}

// Loaded is what the store has found for a Lack. The zero value says that the load failed: it ends
// the load and changes nothing.
type Loaded struct {
	State   *State // if it was needed
	Windows [order.Windows]LoadedWindow
}

// State is what decides whether and how much may be claimed of a subscription.
type State struct {
	Active bool          // deliveries may be claimed at all
	Health *store.Health // the schedule keeps it; nil is the zero one
	Tenant string        // whose turns and limits it shares; it never changes
	Host   string        // the host and port that its attempts go to
}

// unknown is the health of a subscription of which nothing is known.
var unknown store.Health

func (s *State) health() *store.Health {
	if s.Health == nil {
		return &unknown
	}
	return s.Health
}

// LoadedWindow is what follows in a window.
type LoadedWindow struct {
	OK        bool             // it was needed, and was read
	Positions []order.Position // in order; the schedule keeps it
	UpTo      order.Position   // everything up to here was looked at
	Complete  bool             // there is nothing after UpTo

	// Where the Newest were asked for, Positions are some of the last, in order: more than there
	// may be leases of one subscription. The rest is not looked at.
}

// changes are those of a subscription's deliveries since a load began.
type changes struct {
	removed map[uint64]struct{}
	added   []added
}

type added struct {
	p  order.Position
	to order.Source
}

func (c *changes) remove(seq uint64) {
	if c.removed == nil {
		c.removed = make(map[uint64]struct{})
	}
	c.removed[seq] = struct{}{}
	c.added = slices.DeleteFunc(c.added, func(a added) bool { return a.p.Seq == seq })
}

// add notes a position that counts more than what a snapshot says of the delivery: if that says
// another, the schedule has yet to be told.
func (c *changes) add(p order.Position, to order.Source) {
	c.remove(p.Seq)
	c.added = append(c.added, added{p, to})
}

// lack begins a load of what q lacks.
func (q *Sub[Q, L]) lack() Lack {
	q.loading++
	l := Lack{Num: q.Num, State: !q.known, sub: q.id, states: q.states}
	for i := range q.windows {
		switch w := &q.windows[i]; {
		case q.probing && order.Source(i) != order.Retry && w.NeedsNewest():
			l.Windows[i] = WindowLack{Needed: true, Newest: true, loads: w.Loads()}
		case w.NeedsLoad():
			l.Windows[i] = WindowLack{Needed: true, After: w.UpTo(), loads: w.Loads()}
		}
	}
	return l
}

// Load takes in what the store has loaded for a Lack. What is leased, what only memory lists, what
// is canceled, and what has changed since the load began is not taken from it. It returns the Sub
// if the State was taken, for the store to take in what it keeps beside it; nil otherwise: then the
// State has changed since, and will be asked for again.
func (s *Schedule[Q, L]) Load(lack *Lack, loaded Loaded, now int64) (stateOf *Sub[Q, L]) {
	q := s.byNum[lack.Num]
	if q == nil || q.id != lack.sub {
		return nil // it was forgotten
	}
	if loaded.State != nil && !q.known && q.states == lack.states {
		s.turns.place(q, loaded.State)
		s.setState(q, loaded.State.Active, loaded.State.health())
		q.known, stateOf = true, q
	}
	for i := range q.windows {
		asked, got := &lack.Windows[i], &loaded.Windows[i]
		if asked.Needed && got.OK && q.windows[i].Loads() == asked.loads {
			q.loadWindow(order.Source(i), asked.Newest, got, s.barred, s.maxWindow)
		} // or else another load came first, or the window was restarted
	}
	if q.loading--; q.loading == 0 {
		q.changes = changes{}
	}
	if !q.known && lack.State {
		s.unknown = append(s.unknown, q)
		// A claim that came meanwhile did not see it, and the caller that caused the load may not
		// ask again.
		s.wake = true
	}
	s.Reschedule(q, now)
	return stateOf
}

// loadWindow takes in one window. newest says that its other end was asked for.
func (q *Sub[Q, L]) loadWindow(
	source order.Source, newest bool, got *LoadedWindow, barred barred, max int,
) {
	w := &q.windows[source]
	if newest && !w.NeedsNewest() || !newest && !w.NeedsLoad() {
		return // what came since made it needless
	}
	positions := slices.DeleteFunc(got.Positions, func(p order.Position) bool {
		return !q.free(p.Seq) || barred.has(p.Seq)
	})
	// What was added since the load began may or may not be in the snapshot. It counts as the
	// schedule was told, which free has left out of what was read.
	added := slices.DeleteFunc(slices.Clone(q.changes.added), func(a added) bool {
		return a.to != source || q.Busy(a.p.Seq)
	})
	if !newest {
		w.Load(positions, got.UpTo, got.Complete)
		for _, a := range added {
			w.Add(a.p, max) // not appended: one beyond UpTo is left for the next load
		}
		return
	}
	for _, a := range added {
		positions = append(positions, a.p)
	}
	last := order.Position{} // if none of those that were read is free: see order.Window
	if len(positions) > 0 {
		last = slices.MaxFunc(positions, order.Position.Compare)
	}
	w.LoadNewest(last)
}

// free reports whether a delivery that was loaded may be put into a window.
func (q *Sub[Q, L]) free(seq uint64) bool {
	_, removed := q.changes.removed[seq]
	return !removed && !q.Busy(seq) && !q.implicit.Has(seq)
}
