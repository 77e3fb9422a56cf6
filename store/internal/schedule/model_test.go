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

// pending is a delivery in the file.
type pending struct {
	source   schedule.Source // Implicit: from the event alone
	due      int64           // 0 for a first attempt
	blocked  bool
	became   uint64 // orders it against cancelings
	attempts int
}

func (p pending) position(seq uint64) schedule.Position {
	return schedule.Position{Due: p.due, Seq: seq}
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

	waiting   int // the number of leases when a round first saw it have something due; -1 if it has nothing
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
	before file     // the file before the commit that the schedule has not been told of; nil if it knows all
	tell   []func() // tells it

	last    uint64 // event or canceling
	known   map[uint64]*known
	pauses  map[uint64]int64
	zombies map[uint64][]uint64 // canceled, and not recorded yet as such
	leases  []*held
	tokens  map[uint64]*held
	rounds  []*round
	loads   []*load
	count   int // of leases
	missed  [store.Classes]int
	woke    bool // a wake-up was taken since the last operation began
}

func newModel(t *rapid.T, window int) *model {
	idle := rapid.IntRange(0, 2).Draw(t, "idle")
	if window == 0 {
		idle = 100 // what is forgotten can't be loaded again
	}
	m := &model{
		t: t, window: window, now: 1000,
		s:       schedule.New[struct{}, struct{}](schedule.Options{Window: window, Idle: idle, FirstToken: 7}),
		file:    make(file),
		known:   make(map[uint64]*known),
		pauses:  make(map[uint64]int64),
		zombies: make(map[uint64][]uint64),
		tokens:  make(map[uint64]*held),
	}
	for num := range uint64(rapid.IntRange(1, 4).Draw(t, "subscriptions")) {
		m.file[num+1] = newStored(m.state())
	}
	return m
}

func newStored(state schedule.State) *stored {
	return &stored{state, make(map[uint64]pending), make(map[uint64]int)}
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
		k = &known{q: q, waiting: -1, lastLease: -1}
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

// busy reports whether somebody holds a delivery.
func (m *model) busy(num, seq uint64) bool {
	return slices.ContainsFunc(m.leases, func(h *held) bool {
		return h.num == num && h.Seq == seq && !h.ended && !h.expired
	})
}

// blockedUntil returns until when nothing of a subscription is claimed.
func (m *model) blockedUntil(num uint64) int64 {
	at := m.pauses[num]
	h := &m.get(num).state.Health
	for _, until := range []time.Time{h.NextProbeAt, h.HeldUntil} {
		if !until.IsZero() {
			at = max(at, until.UnixNano())
		}
	}
	if last := m.get(num).leasedAt; h.Pace > 0 && last > 0 {
		at = max(at, last+int64(h.Pace))
	}
	return at
}

// open reports whether deliveries of a subscription are claimed at all, as far as the schedule
// knows.
func (m *model) open(num uint64) bool {
	k := m.get(num)
	return k.ok && k.state.Active && m.blockedUntil(num) <= m.now
}

// probing reports whether the breaker of a subscription is open, as far as the schedule knows.
func (m *model) probing(num uint64) bool {
	k := m.get(num)
	return k.ok && m.probes > 0 && k.state.Health.Failures >= m.probes
}

// free returns the deliveries of a subscription that are free and due, those of first attempts and
// of retries each in order. Where the breaker is open, retries are free whenever they are due.
func (m *model) free(f file, num uint64) (first, retries []schedule.Position) {
	if f[num] == nil || !m.open(num) {
		return nil, nil
	}
	for seq, p := range f[num].pending {
		switch {
		case p.blocked || m.busy(num, seq) || p.due > m.now && !m.probing(num):
		case p.due == 0:
			first = append(first, p.position(seq))
		default:
			retries = append(retries, p.position(seq))
		}
	}
	slices.SortFunc(first, schedule.Position.Compare)
	slices.SortFunc(retries, schedule.Position.Compare)
	return first, retries
}

// surelyFree returns the deliveries of a subscription that are free and due, whether a load sees
// the last commit or not.
func (m *model) surelyFree(num uint64) []schedule.Position {
	first, retries := m.free(m.told(), num)
	all := slices.Concat(first, retries)
	if m.before == nil {
		return all
	}
	first, retries = m.free(m.file, num)
	return slices.DeleteFunc(all, func(p schedule.Position) bool {
		return !slices.Contains(first, p) && !slices.Contains(retries, p)
	})
}

// hasFree reports whether there is any.
func (m *model) hasFree(num uint64) bool { return len(m.surelyFree(num)) > 0 }

// leasedBy returns how many leases count for a subscription, and how many of each class.
func (m *model) leasedBy(num uint64) (n int, classes [store.Classes]int) {
	for _, h := range m.leases {
		if !h.counted {
			continue
		}
		if h.num == num {
			n++
		}
		classes[m.get(h.num).state.Health.Class()]++
	}
	return n, classes
}

// leasedBeside returns how many leases count of the tenant and of the host of a subscription.
func (m *model) leasedBeside(num uint64) (tenant, host int) {
	state := m.get(num).state
	for _, h := range m.leases {
		other := m.get(h.num).state
		if h.counted && other.Tenant == state.Tenant {
			tenant++
		}
		if h.counted && other.Host == state.Host {
			host++
		}
	}
	return tenant, host
}

// roomFor reports whether the limits of a request let one more of a subscription be leased.
func (m *model) roomFor(req *store.ClaimRequest, num uint64) bool {
	state := &m.get(num).state
	n, classes := m.leasedBy(num)
	tenant, host := m.leasedBeside(num)
	limit := req.Limit(&state.Health)
	return (limit == 0 || n < limit) && req.Room(state.Health.Class(), &classes) &&
		(req.PerTenant == 0 || state.Tenant == "" || tenant < req.PerTenant) &&
		(req.PerHost == 0 || state.Host == "" || host < req.PerHost)
}

// state returns a random state of a subscription.
func (m *model) state() schedule.State {
	return schedule.State{
		Active: true, Health: m.health(),
		Tenant: rapid.SampledFrom([]string{"", "a", "b"}).Draw(m.t, "tenant"),
		Host:   rapid.SampledFrom([]string{"", "x", "y"}).Draw(m.t, "host"),
	}
}

// read returns what a snapshot of the file has for a lack.
func (m *model) read(lack *schedule.Lack) schedule.Loaded {
	f := m.file[lack.Num]
	if f == nil {
		f = newStored(schedule.State{})
	}
	var loaded schedule.Loaded
	if lack.State {
		state := f.state
		loaded.State = &state
	}
	for i := range lack.Windows {
		if w := &lack.Windows[i]; w.Needed {
			loaded.Windows[i] = m.readWindow(f, schedule.Source(i), w)
		}
	}
	return loaded
}

func (m *model) readWindow(f *stored, source schedule.Source, lack *schedule.WindowLack) schedule.LoadedWindow {
	var all []schedule.Position
	for seq, p := range f.pending {
		if at := p.position(seq); p.source == source && !p.blocked && (lack.Newest || at.Compare(lack.After) > 0) {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, schedule.Position.Compare)
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

func (m *model) health() store.Health {
	h := rapid.SampledFrom([]store.Health{
		{}, {}, {Healthy: true}, {Healthy: true}, {Healthy: true, SlowStart: 1}, {Healthy: true, SlowStart: 3},
		{Failures: 1}, {Failures: 4}, {Failures: 5}, {Healthy: true, Latency: 2 * time.Second},
	}).Draw(m.t, "health")
	if h.Failures > 0 && rapid.IntRange(0, 2).Draw(m.t, "hold") == 0 {
		h.NextProbeAt = time.Unix(0, m.now+int64(rapid.IntRange(-5, 40).Draw(m.t, "for")))
	}
	if rapid.IntRange(0, 3).Draw(m.t, "throttled") == 0 {
		h.HeldUntil = time.Unix(0, m.now+int64(rapid.IntRange(-5, 40).Draw(m.t, "throttledFor")))
		h.Pace = time.Duration(rapid.IntRange(0, 9).Draw(m.t, "pace"))
	}
	return h
}

// pick returns one of the subscriptions in the file.
func (m *model) pick() uint64 {
	return rapid.SampledFrom(sorted(m.file)).Draw(m.t, "subscription")
}

// pickPending returns a pending delivery that fits; ok is false if none does.
func (m *model) pickPending(fits func(num, seq uint64, p pending) bool) (num, seq uint64, p pending, ok bool) {
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
	slices.SortFunc(all, func(a, b key) int { return cmp.Or(cmp.Compare(a.num, b.num), cmp.Compare(a.seq, b.seq)) })
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
