package schedule_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
	"pgregory.net/rapid"
)

// The model stands for a store and its file. It has all that is pending in plain maps, leaves
// nothing out and hides nothing, and says of each lease that the schedule gives whether it is
// right.
//
// What happens to the file happens in commits. The schedule is told of each a little later, as in a
// store, and before the next. So a load may read a file that is newer than what the schedule knows,
// or older if its snapshot is.

type (
	turns = schedule.Schedule[struct{}, struct{}]
	sub   = schedule.Sub[struct{}, struct{}]
	lease = schedule.Lease[struct{}, struct{}]
)

// held is a lease that was given out.
type held struct {
	*lease
	num     uint64
	until   int64
	sealed  bool
	expired bool
	ended   bool
	counted bool
}

// known is what the schedule must know of a subscription.
type known struct {
	q          *sub
	ok         bool // its state was given
	state      schedule.State
	retryFirst bool

	waiting   int // m.count when a round first saw it have something due; -1 if it has nothing
	lastLease int // the number of leases at its last one
	leasedAt  int64
}

type model struct {
	t      *rapid.T
	s      *turns
	window int
	probes int // the BreakerThreshold of the last round that ran
	now    int64
	began  int64 // when the last round began

	file   file
	before file     // the file as the schedule knows it; nil if it has been told of every commit
	tell   []func() // tells it

	last       uint64 // event or canceling
	known      map[uint64]*known
	pauses     map[uint64]int64
	limits     map[uint64]ownLimit
	unrecorded map[uint64][]uint64 // canceled, and not recorded yet as such
	leases     []*held
	tokens     map[uint64]*held
	rounds     []*round
	loads      []*load
	count      int // of leases
	missed     [store.Classes]int
	woke       bool // a wake-up was taken since the last operation began
}

func newModel(t *rapid.T, window int) *model {
	idle := rapid.IntRange(0, 2).Draw(t, "idle")
	if window == 0 {
		idle = 100 // what is forgotten can't be loaded again
	}
	m := &model{
		t: t, window: window, now: 1000,
		s: schedule.New[struct{}, struct{}](schedule.Options{
			Window: window, Idle: idle, FirstToken: 7,
		}),
		file:       make(file),
		known:      make(map[uint64]*known),
		pauses:     make(map[uint64]int64),
		limits:     make(map[uint64]ownLimit),
		unrecorded: make(map[uint64][]uint64),
		tokens:     make(map[uint64]*held),
	}
	for num := range uint64(rapid.IntRange(1, 4).Draw(t, "subscriptions")) {
		m.file[num+1] = newStored(m.state())
	}
	return m
}

// told is the file as far as the schedule has been told of it.
func (m *model) told() file {
	if m.before != nil {
		return m.before
	}
	return m.file
}

// get returns what the schedule must know of a subscription, which may be nothing.
func (m *model) get(num uint64) *known {
	k := m.known[num]
	if q := m.s.Sub(num); k == nil || k.q != q {
		k = &known{
			q: q, waiting: -1, lastLease: -1, state: schedule.State{Health: new(store.Health)},
		}
		m.known[num] = k
	}
	return k
}

// ensure returns the Sub of a subscription.
func (m *model) ensure(num uint64) *sub {
	q := m.s.Ensure(num)
	k := m.get(num)
	if m.window == 0 && !k.ok {
		k.ok, k.state = true, m.told()[num].state
		m.s.SetState(q, k.state, m.now)
	}
	return q
}

// commit changes the file, and has the schedule told later.
func (m *model) commit(change func(), tell ...func()) {
	m.flush()
	m.before = m.file.clone()
	change()
	m.tell = tell
}

// flush tells the schedule of the last commit.
func (m *model) flush() {
	if m.before == nil {
		return
	}
	m.do("told", func() {
		for _, tell := range m.tell {
			tell()
		}
		m.before, m.tell = nil, nil
	})
}

// state returns a random state of a subscription.
func (m *model) state() schedule.State {
	return schedule.State{
		Active: true, Health: m.health(),
		Tenant: rapid.SampledFrom([]string{"", "a", "b"}).Draw(m.t, "tenant"),
		Host:   rapid.SampledFrom([]string{"", "x", "y"}).Draw(m.t, "host"),
	}
}

func (m *model) health() *store.Health {
	h := rapid.SampledFrom([]store.Health{
		{}, {}, {Healthy: true}, {Healthy: true},
		{Healthy: true, SlowStart: 1}, {Healthy: true, SlowStart: 3},
		{Failures: 1}, {Failures: 4}, {Failures: 5}, {Healthy: true, Latency: 2 * time.Second},
	}).Draw(m.t, "health")
	if h.Failures > 0 && rapid.IntRange(0, 2).Draw(m.t, "hold") == 0 {
		h.NextProbeAt = time.Unix(0, m.now+int64(rapid.IntRange(-5, 40).Draw(m.t, "for")))
	}
	if rapid.IntRange(0, 3).Draw(m.t, "throttled") == 0 {
		h.HeldUntil = time.Unix(0, m.now+int64(rapid.IntRange(-5, 40).Draw(m.t, "throttledFor")))
		h.Pace = time.Duration(rapid.IntRange(0, 9).Draw(m.t, "pace"))
	}
	return &h
}

// pick returns one of the subscriptions in the file.
func (m *model) pick() uint64 {
	return rapid.SampledFrom(sorted(m.file)).Draw(m.t, "subscription")
}

// pickPending returns a pending delivery that fits; ok is false if none does.
func (m *model) pickPending(
	fits func(num, seq uint64, p pending) bool,
) (num, seq uint64, p pending, ok bool) {
	type key struct{ num, seq uint64 }
	var all []key
	for num, f := range m.file {
		for seq, p := range f.pending {
			if fits(num, seq, p) {
				all = append(all, key{num, seq})
			}
		}
	}
	if len(all) == 0 {
		return 0, 0, pending{}, false
	}
	slices.SortFunc(all, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.seq, b.seq))
	})
	k := rapid.SampledFrom(all).Draw(m.t, "delivery")
	return k.num, k.seq, m.file[k.num].pending[k.seq], true
}

// pickLease returns a lease that fits; nil if none does.
func (m *model) pickLease(fits func(*held) bool) *held {
	var all []*held
	for _, h := range m.leases {
		if fits(h) {
			all = append(all, h)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[rapid.IntRange(0, len(all)-1).Draw(m.t, "lease")]
}

func sorted[V any](of map[uint64]V) []uint64 { return slices.Sorted(maps.Keys(of)) }

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("at %d: %s", m.now, fmt.Sprintf(format, args...))
}
