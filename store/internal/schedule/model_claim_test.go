package schedule_test

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
	"pgregory.net/rapid"
)

// round is a claim on its way.
type round struct {
	*schedule.Round[struct{}, struct{}]
	req    store.ClaimRequest
	now    int64 // as of when it runs
	until  int64 // of its leases
	loads  int   // that it waits for
	failed bool
	seen   int // how many of its leases have been looked at
	runs   int
	before map[*held]bool // leases that were there when it began
}

// load is a load on its way.
type load struct {
	lack   schedule.Lack
	q      *sub // what it is for
	round  *round
	loaded *schedule.Loaded // what a snapshot had; nil if none has been taken
}

// claim begins a round.
func (m *model) claim(req store.ClaimRequest) *round {
	rd := &round{req: req, now: m.now, until: m.now + int64(req.Lease), before: make(map[*held]bool)}
	rd.Round = m.s.Round(&rd.req, m.now)
	m.began = m.now
	m.expire()
	for _, h := range m.leases {
		rd.before[h] = !h.ended && !h.expired && !h.sealed
	}
	m.noteWaiting()
	m.rounds = append(m.rounds, rd)
	return rd
}

// run lets a round go on, and looks at what it has taken. done says that it lacks nothing.
func (m *model) run(rd *round) (done bool) {
	m.probes = rd.req.BreakerThreshold
	lacks := rd.Run()
	rd.now = m.s.Now()
	rd.runs++
	for _, l := range rd.Leases[rd.seen:] {
		m.wantRightLease(rd, l)
	}
	rd.seen = len(rd.Leases)
	if len(lacks) == 0 {
		m.wantNothingLeft(rd)
		m.wantNextDue(rd)
		m.s.TakeWake()
		m.rounds = slices.DeleteFunc(m.rounds, func(o *round) bool { return o == rd })
		return true
	}
	if m.window == 0 {
		m.fail("memory is all there is, and the round lacks %+v", lacks)
	}
	for _, lack := range lacks {
		rd.loads++
		m.loads = append(m.loads, &load{lack: lack, q: m.s.Sub(lack.Num), round: rd})
	}
	return false
}

// answer answers a load, and lets its round go on if it waits for no other.
func (m *model) answer(l *load, failed bool) {
	if l.loaded == nil {
		loaded := m.read(&l.lack)
		l.loaded = &loaded
	}
	loaded := *l.loaded
	if failed {
		loaded = schedule.Loaded{}
	}
	m.loads = slices.DeleteFunc(m.loads, func(o *load) bool { return o == l })
	m.do("load", func() {
		q := m.s.Load(&l.lack, loaded, m.now)
		switch {
		case q != nil && (loaded.State == nil || q != l.q):
			m.fail("a state was taken from a load that had none for %d", l.lack.Num)
		case q != nil:
			k := m.get(l.lack.Num)
			k.ok, k.state = true, *loaded.State
		case failed && l.lack.State && m.s.Sub(l.lack.Num) == l.q && !m.get(l.lack.Num).ok:
			if !m.takeWake() {
				m.fail("the state of %d was not loaded, and nobody is told to ask again", l.lack.Num)
			}
		}
	})
	rd := l.round
	rd.loads--
	rd.failed = rd.failed || failed
	switch {
	case rd.loads > 0:
	case rd.failed: // then the claim fails
		m.rounds = slices.DeleteFunc(m.rounds, func(o *round) bool { return o == rd })
		for _, l := range rd.Leases {
			m.release(m.tokens[l.Token])
		}
	default:
		m.run(rd)
	}
}

// wantRightLease says whether a lease is right, and takes it in.
func (m *model) wantRightLease(rd *round, l *lease) {
	num := l.Sub.Num
	now := m.now
	m.now = rd.now
	defer func() { m.now = now }()
	k := m.get(num)
	health := k.state.Health
	leased, classes := m.leasedBy(num)
	tenant, host := m.leasedBeside(num)
	switch limit := m.limitOf(&rd.req, num); {
	case m.tokens[l.Token] != nil || l.Token <= 7:
		m.fail("token %d was given out twice", l.Token)
	case m.busy(num, l.Seq):
		m.fail("%d/%d is leased twice at once", num, l.Seq)
	case !m.open(num):
		m.fail("%d/%d is leased, and its subscription is unknown, inactive, held or postponed",
			num, l.Seq)
	case limit > 0 && leased >= limit:
		m.fail("%d has %d leases, and gets another; its limit is %d", num, leased, limit)
	case rd.req.PerTenant > 0 && k.state.Tenant != "" && tenant >= rd.req.PerTenant:
		m.fail("tenant %q has %d leases, and gets another; its limit is %d",
			k.state.Tenant, tenant, rd.req.PerTenant)
	case rd.req.PerHost > 0 && k.state.Host != "" && host >= rd.req.PerHost:
		m.fail("host %q has %d leases, and gets another; its limit is %d",
			k.state.Host, host, rd.req.PerHost)
	case !rd.req.Room(health.Class(), &classes):
		m.fail("class %d gets a lease more than it may: %v, %+v", health.Class(), classes, rd.req)
	}
	m.wantOrder(l)
	m.wantTurn(rd, num)
	m.endLeases(num, l.Seq)
	h := &held{lease: l, num: num, until: rd.until, counted: true}
	m.leases = append(m.leases, h)
	m.tokens[l.Token] = h
	k.retryFirst = l.From != order.Retry
	k.lastLease, k.waiting, k.leasedAt = m.count, m.count+1, rd.now
	m.count++
	if !m.hasFree(num) {
		k.waiting = -1
	}
}

// wantOrder says whether it is the delivery's turn within its subscription.
func (m *model) wantOrder(l *lease) {
	num := l.Sub.Num
	first, retries := m.free(m.told(), num)
	if m.before != nil { // what the schedule has not been told of may be claimed from the file too
		f, r := m.free(m.file, num)
		if !slices.Contains(slices.Concat(first, retries, f, r), l.Position()) {
			m.fail("%d/%d is leased from %v, and is not free and due", num, l.Seq, l.Position())
		}
		return
	}
	want := order.Position{}
	switch {
	case m.probing(num):
		want = probe(first, retries)
	case len(retries) > 0 && (len(first) == 0 || m.get(num).retryFirst):
		want = retries[0]
	case len(first) > 0:
		want = first[0]
	}
	if l.Position() != want {
		m.fail("%d/%d is leased from %v; it was the turn of %v", num, l.Seq, l.Position(), want)
	}
	if source := m.file[num].pending[l.Seq].source; source != l.From {
		m.fail("%d/%d is leased from source %d; it is in %d", num, l.Seq, l.From, source)
	}
}

// probe returns what a probe takes.
func probe(first, retries []order.Position) order.Position {
	switch {
	case len(retries) > 0 && retries[0].Due == order.Asked:
		return retries[0]
	case len(first) > 0:
		return first[len(first)-1]
	case len(retries) > 0:
		return retries[0]
	}
	return order.Position{}
}

// wantTurn says whether it is the turn of the subscription's class: none may be passed over for as
// many leases as there are classes. Whose turn it is in a class is for the tests of turns.
func (m *model) wantTurn(rd *round, num uint64) {
	class := m.get(num).state.Health.Class()
	var could [store.Classes]bool
	for _, other := range sorted(m.told()) {
		k := m.get(other)
		if !k.ok || !m.hasFree(other) {
			continue
		}
		if m.roomFor(&rd.req, other) {
			could[k.state.Health.Class()] = true
		}
	}
	for c := range could {
		if m.missed[c]++; !could[c] || store.Class(c) == class {
			m.missed[c] = 0
		}
		if m.missed[c] >= int(store.Classes) {
			m.fail("class %d is passed over", c)
		}
	}
}

// expire is the schedule's taking back of leases that have run out, as a round begins.
func (m *model) expire() {
	for _, h := range m.leases {
		if !h.ended && !h.expired && !h.sealed && h.until <= m.now {
			h.expired, h.counted = true, false
		}
	}
}

func (m *model) request() store.ClaimRequest {
	t := m.t
	return store.ClaimRequest{
		Max:              rapid.IntRange(0, 6).Draw(t, "max"),
		Lease:            time.Duration(rapid.IntRange(1, 60).Draw(t, "lease")),
		PerSubscription:  rapid.IntRange(0, 4).Draw(t, "perSubscription"),
		PerTenant:        rapid.IntRange(0, 3).Draw(t, "perTenant"),
		PerHost:          rapid.IntRange(0, 3).Draw(t, "perHost"),
		MaxUnhealthy:     rapid.IntRange(0, 5).Draw(t, "unhealthy"),
		MaxFailing:       rapid.IntRange(0, 4).Draw(t, "failing"),
		BreakerThreshold: rapid.SampledFrom([]int{0, 1, 5}).Draw(t, "probeAfter"),
	}
}
