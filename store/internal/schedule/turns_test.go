package schedule_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// place makes a subscription known, of a tenant and host.
func (s *memory) place(num uint64, tenant, host string, h store.Health) *sub {
	q := s.Ensure(num)
	s.SetState(q, schedule.State{Active: true, Health: &h, Tenant: tenant, Host: host}, s.now)
	return q
}

// busy lets so many slots work for a time, where each lease of a subscription takes as long as its
// latency says, and returns the slot time and the leases that each subscription got. All have
// something due all the time.
func (s *memory) busy(
	t *testing.T, slots int, d time.Duration, latency func(num uint64) time.Duration,
) (
	slotTime map[uint64]time.Duration, leases map[uint64]int,
) {
	t.Helper()
	type running struct {
		*lease
		ends int64
	}
	var all []running
	slotTime, leases = make(map[uint64]time.Duration), make(map[uint64]int)
	for end := s.now + int64(d); s.now < end; {
		for _, l := range s.claim(t, store.ClaimRequest{Max: slots - len(all), Lease: time.Hour}) {
			num := l.Sub.Num
			all = append(all, running{l, s.now + int64(latency(num))})
			slotTime[num] += latency(num)
			leases[num]++
			s.add(num)
		}
		first := 0
		for i := range all {
			if all[i].ends < all[first].ends {
				first = i
			}
		}
		s.now = max(s.now, all[first].ends)
		s.Change(all[first].Sub, all[first].Seq, schedule.Change{}, s.now)
		all = append(all[:first], all[first+1:]...)
	}
	return slotTime, leases
}

// TestSlotTimeIsShared holds that what is shared is the time of slots, and not the number of
// leases.
func TestSlotTimeIsShared(t *testing.T) {
	const quick, slow = 20 * time.Millisecond, 400 * time.Millisecond
	latency := func(num uint64) time.Duration {
		if num == 1 {
			return slow
		}
		return quick
	}
	for _, tt := range []struct {
		slots int
		known bool // it is known what their leases usually take
	}{{1, true}, {4, true}, {1, false}} {
		slots := tt.slots
		s := newMemory()
		for num := uint64(1); num <= 3; num++ {
			h := store.Health{Healthy: true}
			if tt.known {
				h.Latency = latency(num)
			}
			s.place(num, "a", "", h)
			for range 8 {
				s.add(num)
			}
		}
		got, _ := s.busy(t, slots, 5*time.Minute, latency)
		for num := uint64(2); num <= 3; num++ {
			if ratio := float64(got[num]) / float64(got[1]); ratio < 0.9 || ratio > 1.1 {
				t.Errorf("%d slots: %v of slot time for the slow one and %v for %d; want about as much",
					slots, got[1], got[num], num)
			}
		}
	}
}

// TestTenantsShare holds that a tenant has no more for having more subscriptions.
func TestTenantsShare(t *testing.T) {
	const many = 50
	latency := func(num uint64) time.Duration { // those of the tenant with many are slower
		if num <= many {
			return 40 * time.Millisecond
		}
		return 10 * time.Millisecond
	}
	s := newMemory()
	for num := uint64(1); num <= many+2; num++ {
		tenant := "many"
		if num > many {
			tenant = fmt.Sprint("alone ", num)
		}
		s.place(num, tenant, "", store.Health{Healthy: true, Latency: latency(num)})
		for range 40 {
			s.add(num)
		}
	}
	slotTime, leases := s.busy(t, 8, 3*time.Minute, latency)
	sum, least, most := time.Duration(0), math.MaxInt, 0
	for num := uint64(1); num <= many; num++ {
		sum += slotTime[num]
		least, most = min(least, leases[num]), max(most, leases[num])
	}
	for num := uint64(many + 1); num <= many+2; num++ {
		if ratio := float64(slotTime[num]) / float64(sum); ratio < 0.9 || ratio > 1.1 {
			t.Errorf("%v of slot time for %d subscriptions of one tenant, and %v for another with one; "+
				"want about as much", sum, many, slotTime[num])
		}
	}
	if most > least+least/5+2 {
		t.Errorf("subscriptions of one tenant had %d to %d leases, want about as many each", least, most)
	}
}

// TestNewcomer holds that one that had nothing due for long has the next turn, and then no more
// than its share.
func TestNewcomer(t *testing.T) {
	for _, tenants := range [][2]string{{"a", "a"}, {"a", "b"}, {"", ""}} {
		s := newMemory()
		s.place(1, tenants[0], "", store.Health{Healthy: true})
		s.place(2, tenants[1], "", store.Health{Healthy: true})
		for range 40 {
			s.add(1)
		}
		latency := func(uint64) time.Duration { return 10 * time.Millisecond }
		s.busy(t, 1, time.Minute, latency)
		for range 40 {
			s.add(2)
		}
		_, leases := s.busy(t, 1, 200*time.Millisecond, latency)
		if leases[2] < 9 || leases[2] > 11 {
			t.Errorf("tenants %q: the newcomer had %d of 20 leases, want half", tenants, leases[2])
		}
	}
}

// TestAccountsAreScaled holds that turns go on as before when the weights of accounts are scaled
// down, which is every few hours.
func TestAccountsAreScaled(t *testing.T) {
	s := newMemory()
	for num := uint64(1); num <= 3; num++ {
		s.place(num, fmt.Sprint(num%2), "", store.Health{Healthy: true})
		for range 10 {
			s.add(num)
		}
	}
	latency := func(uint64) time.Duration { return 10 * time.Millisecond }
	for range 6 {
		s.now += int64(3 * time.Hour)
		_, leases := s.busy(t, 1, 10*time.Second, latency)
		if both := leases[1] + leases[3]; both < leases[2]*9/10 || both > leases[2]*11/10 ||
			leases[2] == 0 {
			t.Fatalf("got %v leases, want as many of the first tenant as of the second", leases)
		}
	}
}

func TestPerTenant(t *testing.T) {
	s := newMemory()
	for num, tenant := range []string{"a", "a", "b", "", ""} {
		s.place(uint64(num+1), tenant, "", healthy)
		for range 3 {
			s.add(uint64(num + 1))
		}
	}
	req := store.ClaimRequest{Max: 100, PerTenant: 2, Lease: 100}
	count := func() map[string]int {
		n := make(map[string]int)
		for _, l := range s.claim(t, req) {
			n[[]string{"a", "a", "b", "", ""}[l.Sub.Num-1]]++
		}
		return n
	}
	if got := count(); got["a"] != 2 || got["b"] != 2 || got[""] != 6 {
		t.Errorf("leased %v, want 2 of each tenant, and all 6 of the one that has no name", got)
	}
	l := s.InFlight(nil)
	s.Expire(s.now + 100)
	if !s.TakeWake() {
		t.Error("there is no wake-up as leases have run out")
	}
	s.now += 100
	if got := count(); l != 10 || got["a"] != 2 || got["b"] != 2 || got[""] != 6 {
		t.Errorf("leased %v after they have run out, want as many", got)
	}
	req.PerTenant = 3
	if got := count(); got["a"] != 1 || got["b"] != 1 {
		t.Errorf("leased %v with a higher limit, want one more of each", got)
	}
}

func TestPerHost(t *testing.T) {
	s := newMemory()
	hosts := []string{"x:443", "x:443", "y:443", ""}
	for num, host := range hosts {
		s.place(uint64(num+1), fmt.Sprint(num), host, healthy)
		for range 3 {
			s.add(uint64(num + 1))
		}
	}
	req := store.ClaimRequest{Max: 100, PerHost: 2, Lease: 100}
	leases := s.claim(t, req)
	n := make(map[string]int)
	for _, l := range leases {
		n[hosts[l.Sub.Num-1]]++
	}
	if n["x:443"] != 2 || n["y:443"] != 2 || n[""] != 3 {
		t.Errorf("leased %v, want 2 of each host, and all 3 of the one that has none", n)
	}
	s.TakeWake()
	s.SetHost(s.Sub(1), "z:443", s.now)
	if !s.TakeWake() {
		t.Error("there is no wake-up as a subscription has another host")
	}
	// One of the first at its new host, and one of the second in its place.
	if got := len(s.claim(t, req)); got != 2 {
		t.Errorf("leased %d after a subscription got another host, want 2", got)
	}
}
