package schedule_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
)

// drain makes all that is pending claimable, and claims it as a dispatcher does: it claims when it
// is woken, when the last claim was full, and when the time has come that the last claim told. All
// must come.
func (m *model) drain() {
	m.flush()
	for len(m.loads) > 0 {
		m.answer(m.loads[0], false)
	}
	for _, h := range slices.Clone(m.leases) {
		m.release(h)
	}
	for _, num := range sorted(m.file) {
		m.commit(func() { m.file[num].state.Active = true }, func() {
			if q := m.s.Sub(num); q != nil {
				m.s.SetActive(q, true, m.now)
				m.get(num).state.Active = true
			}
		})
	}
	for range m.last {
		m.unblock()
	}
	m.flush()
	req := store.ClaimRequest{
		Max: 2, Lease: 50, PerSubscription: 2, PerTenant: 3, PerHost: 2,
		MaxUnhealthy: 2, MaxFailing: 1, BreakerThreshold: 5,
	}
	for ready, left := true, 10_000; ; left-- {
		pendings := 0
		for _, f := range m.file {
			pendings += len(f.pending)
		}
		switch h := m.pickLease(func(*held) bool { return true }); {
		case pendings == 0 && h == nil:
			if n := m.s.Loading(); n != 0 || m.s.InFlight(nil) != 0 {
				m.fail("%d loads and %d leases are left", n, m.s.InFlight(nil))
			}
			return
		case left == 0:
			m.fail("%d deliveries are still pending", pendings)
		case ready:
			ready = m.claimAll(req)
		case h != nil:
			m.do("seal", func() {
				m.s.Seal(h.lease, true, m.now)
				h.sealed, h.counted, h.expired = true, false, false
			})
			ready = ready || m.woke
			m.finish(h, store.Delivered)
			m.flush()
			ready = ready || m.woke
		default:
			wait := m.s.Round(&store.ClaimRequest{Lease: 1}, m.now).NextDue()
			if wait == store.NoneDue {
				m.fail("%d deliveries are pending, and nobody knows when they are due", pendings)
			}
			m.now += int64(wait)
			ready = true
		}
		m.check("a step of the drain")
	}
}

// claimAll claims once, with the loads that takes. It reports whether the claim was full.
func (m *model) claimAll(req store.ClaimRequest) (full bool) {
	rd := m.claim(req)
	for done := m.run(rd); !done; done = !slices.Contains(m.rounds, rd) {
		m.answer(m.loads[0], false)
	}
	return len(rd.Leases) == req.Max
}

// TestMain makes the model tests short with -short.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		_ = flag.Set("rapid.checks", "30")
	}
	os.Exit(m.Run())
}
