package engine_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/store"
)

func claimOf(sub, event, tenant string) store.Claim {
	return store.Claim{Lease: store.Lease{SubscriptionID: sub, EventID: event}, Tenant: tenant}
}

// A claim is kept back by each change of what it is for that was stored after its Claim call began,
// and by no other.
func TestFence(t *testing.T) {
	for _, tt := range []struct {
		name    string
		subject engine.Subject
		want    bool
	}{
		{"its subscription", engine.Subscription("s"), false},
		{"its event", engine.Event("t", "e"), false},
		{"its tenant", engine.Tenant("t"), false},
		{"another subscription", engine.Subscription("e"), true},
		{"another event", engine.Event("t", "t"), true},
		{"another tenant's event", engine.Event("u", "e"), true},
		{"an event of no tenant", engine.Event("", "e"), true},
		{"another tenant", engine.Tenant("s"), true},
	} {
		tickets := engine.NewTickets(8)
		tickets.Invalidate(tt.subject) // before: of no consequence
		epoch := tickets.Begin()
		first := tickets.Issue(epoch, claimOf("s", "e", "t"))[0]
		if !tickets.Admit(first) {
			t.Errorf("%s, changed before the claim: not admitted", tt.name)
		}
		epoch = tickets.Begin()
		tickets.Invalidate(tt.subject) // while the call runs
		second := tickets.Issue(epoch, claimOf("s", "e", "t"))[0]
		if got := tickets.Admit(second); got != tt.want {
			t.Errorf("%s, changed while Claim ran: admitted %v, want %v", tt.name, got, tt.want)
		}
		third := tickets.Issue(tickets.Begin(), claimOf("s", "e", "t"))[0]
		tickets.Invalidate(tt.subject)
		if got := tickets.Admit(third); got != tt.want {
			t.Errorf("%s, changed before the attempt: admitted %v, want %v", tt.name, got, tt.want)
		}
		if n := tickets.Remembered(); n != 0 {
			t.Errorf("%s: %d changes are remembered with no claim left that they concern", tt.name, n)
		}
	}
}

// ticketModel is a ticket as the model has it.
type ticketModel struct {
	engine.Ticket
	sub   string
	stale bool // its subscription has changed since its Claim call began
	phase int  // 0: issued, 1: running, 2: recording, 3: closed
}

// After each step, in any order, slots, limits and the fence are what the tickets' phases say.
func TestTicketsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 2
		max := rapid.IntRange(1, 6).Draw(t, "slots")
		subs := []string{"a", "b", "c"}
		tickets := engine.NewTickets(max)
		var all []*ticketModel
		calling := false // a Claim call runs
		var epoch uint64
		changed := make(map[string]bool) // while it runs
		waiting := false                 // free was 0
		in := func(phases ...int) (out []*ticketModel) {
			for _, k := range all {
				for _, p := range phases {
					if k.phase == p {
						out = append(out, k)
					}
				}
			}
			return out
		}
		pick := func(t *rapid.T, phase int) *ticketModel {
			list := in(phase)
			if len(list) == 0 {
				t.Skip("none")
			}
			return list[rapid.IntRange(0, len(list)-1).Draw(t, "which")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				if calling {
					t.Skip("one call at a time")
				}
				calling, epoch = true, tickets.Begin()
				clear(changed)
			},
			"issue": func(t *rapid.T) {
				if !calling {
					t.Skip("no call")
				}
				calling = false
				var claims []store.Claim
				for n := range rapid.IntRange(0, max-len(in(0, 1, 2))).Draw(t, "claims") {
					claims = append(claims, claimOf(rapid.SampledFrom(subs).Draw(t, "subscription"), fmt.Sprint(n),
						""))
				}
				for n, k := range tickets.Issue(epoch, claims...) {
					sub := claims[n].SubscriptionID
					all = append(all, &ticketModel{Ticket: k, sub: sub, stale: changed[sub]})
				}
			},
			"admit": func(t *rapid.T) {
				k := pick(t, 0)
				if got := tickets.Admit(k.Ticket); got == k.stale {
					t.Fatalf("admitted %v, want %v", got, !k.stale)
				}
				k.phase = 1
			},
			"attempt done": func(t *rapid.T) {
				k := pick(t, 1)
				tickets.AttemptDone(k.Ticket)
				k.phase = 2
			},
			"close": func(t *rapid.T) {
				k := pick(t, 2)
				tickets.Close(k.Ticket)
				k.phase = 3
				if woken := tickets.Woken(); woken != waiting {
					t.Fatalf("claimLoop is woken: %v, want %v", woken, waiting)
				}
				waiting = false
			},
			"change": func(t *rapid.T) {
				sub := rapid.SampledFrom(subs).Draw(t, "subscription")
				tickets.Invalidate(engine.Subscription(sub))
				changed[sub] = true
				for _, k := range in(0) {
					k.stale = k.stale || k.sub == sub
				}
			},
			"": func(t *rapid.T) {
				free := max - len(in(0, 1, 2))
				if got := tickets.Free(); got != free {
					t.Fatalf("%d slots are free, want %d", got, free)
				}
				waiting = free == 0
				for _, sub := range subs {
					n := 0
					for _, k := range in(0, 1) {
						if k.sub == sub {
							n++
						}
					}
					if got := tickets.Crowded(sub, limit); got != (n >= limit) {
						t.Fatalf("%s with %d attempts is crowded: %v", sub, n, got)
					}
				}
				if n := tickets.Remembered(); n != 0 && !calling && len(in(0)) == 0 {
					t.Fatalf("%d changes are remembered with no claim left that they concern", n)
				}
			},
		})
	})
}
