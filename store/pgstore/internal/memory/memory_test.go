package memory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
)

const me, another = 1, 2

// share is the one that the tests are about, and sub a subscription of it.
const (
	share = 3
	sub   = memory.Shares + share
)

func delivery(seq uint64) memory.Delivery { return memory.Delivery{Sub: sub, Seq: seq} }

// dealt returns what the database says of the share.
func dealt(owner, fence int64, low uint64, live bool) []memory.Dealt {
	return []memory.Dealt{{ID: share, Owner: owner, Fence: fence, Low: low, Live: live}}
}

// wanted says who should have the share.
func wanted(replica int64) *[memory.Shares]int64 {
	var owners [memory.Shares]int64
	owners[share] = replica
	return &owners
}

func newMemory(t *testing.T) *memory.Memory {
	m := memory.New(func() {})
	m.Lock()
	t.Cleanup(m.Unlock)
	return m
}

// owning returns a memory that owns the share with fence 1, and has loaded some first attempts.
func owning(t *testing.T, rowless ...uint64) *memory.Memory {
	m := newMemory(t)
	m.Redeal(dealt(0, 0, 0, false), wanted(me), me, 0)
	m.Acquired([]int32{share}, map[int32]int64{share: 1})
	l := &memory.Loaded{Shares: dealt(me, 1, 0, true)}
	for _, seq := range rowless {
		l.Rowless = append(l.Rowless, delivery(seq))
	}
	m.Install([]int32{share}, l, me, 0)
	if got := m.In(memory.Owned); !slices.Equal(got, []int32{share}) {
		t.Fatalf("owned: got %v, want the share", got)
	}
	return m
}

// lease claims all that can be claimed.
func lease(t *testing.T, m *memory.Memory) []*memory.Lease {
	t.Helper()
	req := &store.ClaimRequest{Max: 100, Lease: time.Minute}
	round := m.Schedule.Round(req, 0)
	for {
		lacks := round.Run()
		if len(lacks) == 0 {
			return round.Leases
		}
		for i := range lacks {
			var loaded schedule.Loaded
			for w := range loaded.Windows {
				loaded.Windows[w] = schedule.LoadedWindow{OK: true, Complete: true}
			}
			st := &memory.State{
				Sub: store.Subscription{
					ID: "s", URL: "https://endpoint.example/", Status: store.Subscribed,
				},
				Health: store.Health{Healthy: true},
			}
			m.Load(&lacks[i], loaded, st, 0)
		}
	}
}

func seqs(leases []*memory.Lease) (out []uint64) {
	for _, l := range leases {
		out = append(out, l.Seq)
	}
	return out
}

// TestPublishedWhileLoading checks that what this replica publishes for a share that it is loading
// is in the schedule once the share is owned, and once only.
func TestPublishedWhileLoading(t *testing.T) {
	m := newMemory(t)
	p := m.Redeal(dealt(another, 1, 0, false), wanted(me), me, 0)
	if !slices.Equal(p.Acquire, []int32{share}) {
		t.Fatalf("plan: got %+v, want to acquire the share", p)
	}
	m.Feed(delivery(5), 0)
	m.Feed(delivery(6), 0)
	if limit := m.LoadLimit([]int32{share}); limit != 4 {
		t.Errorf("rows up to %d while loading, want 4", limit)
	}
	m.Acquired(p.Acquire, map[int32]int64{share: 2})
	rowless := []memory.Delivery{delivery(4), delivery(5)} // the load has one of them too
	m.Install(p.Acquire, &memory.Loaded{Shares: dealt(me, 2, 0, true), Rowless: rowless}, me, 0)
	if got, want := seqs(lease(t, m)), []uint64{4, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("leased: got %v, want %v", got, want)
	}
}

// TestLostWhileLoading checks that a share that another has taken meanwhile is not installed.
func TestLostWhileLoading(t *testing.T) {
	m := newMemory(t)
	p := m.Redeal(dealt(another, 1, 0, false), wanted(me), me, 0)
	m.Acquired(p.Acquire, map[int32]int64{share: 2})
	m.Install(p.Acquire, &memory.Loaded{
		Shares: dealt(another, 3, 0, true), Rowless: []memory.Delivery{delivery(4)},
	}, me, 0)
	if got := m.Held(); len(got) > 0 {
		t.Errorf("held: got %v, want none", got)
	}
	if got := lease(t, m); len(got) > 0 {
		t.Errorf("leased: got %v, want none", seqs(got))
	}
}

// TestRedeal checks each way in which a share that is owned is found.
func TestRedeal(t *testing.T) {
	for name, tc := range map[string]struct {
		found  []memory.Dealt
		wanted int64
		leased bool
		state  memory.ShareState
		plan   memory.Plan
	}{
		"as it was":      {dealt(me, 1, 0, true), me, true, memory.Owned, memory.Plan{}},
		"another has it": {dealt(another, 2, 0, true), me, true, memory.Other, memory.Plan{}},
		"another had it, it died": {dealt(another, 2, 0, false), me, true, memory.Loading,
			memory.Plan{Acquire: []int32{share}}},
		"lost and taken again": {dealt(me, 3, 0, true), me, true, memory.Loading,
			memory.Plan{Load: []int32{share}}},
		"another should have it": {dealt(me, 1, 0, true), another, true, memory.Leaving, memory.Plan{}},
		"and nothing is leased": {dealt(me, 1, 0, true), another, false, memory.Leaving,
			memory.Plan{Release: []int32{share}}},
	} {
		t.Run(name, func(t *testing.T) {
			m := owning(t, 5, 6)
			var leases []*memory.Lease
			if tc.leased {
				leases = lease(t, m)
			}
			p := m.Redeal(tc.found, wanted(tc.wanted), me, 0)
			if !slices.Equal(p.Acquire, tc.plan.Acquire) || !slices.Equal(p.Load, tc.plan.Load) ||
				!slices.Equal(p.Release, tc.plan.Release) {
				t.Errorf("plan: got %+v, want %+v", p, tc.plan)
			}
			if got := m.In(tc.state); !slices.Contains(got, share) {
				t.Errorf("the share is not in state %d", tc.state)
			}
			held := tc.state == memory.Owned || tc.state == memory.Leaving
			for _, l := range leases {
				if l.Ended() == held {
					t.Errorf("the lease of %d has ended: got %t, want %t", l.Seq, l.Ended(), !held)
				}
			}
		})
	}
}

// TestLeaving checks that nothing is claimed of a share that is to be given up, and that it is
// claimed again if the replica is to keep it after all.
func TestLeaving(t *testing.T) {
	m := owning(t, 5)
	first := lease(t, m)
	m.Feed(delivery(6), 0)
	m.Redeal(dealt(me, 1, 0, true), wanted(another), me, 0)
	if got := lease(t, m); len(got) > 0 {
		t.Errorf("leased while leaving: %v", seqs(got))
	}
	m.Apply(memory.Change{Delivery: delivery(first[0].Seq), EndLease: true}, 0)
	if p := m.Redeal(dealt(me, 1, 0, true), wanted(another), me, 0); len(p.Release) != 1 {
		t.Error("it is not given up when nothing is leased any more")
	}
	m.Redeal(dealt(me, 1, 0, true), wanted(me), me, 0)
	if got, want := seqs(lease(t, m)), []uint64{6}; !slices.Equal(got, want) {
		t.Errorf("leased once it stays: got %v, want %v", got, want)
	}
}

// low returns the low mark of the share as it would be written.
func low(m *memory.Memory) int64 {
	risen := m.RisenLows(0)
	for i, id := range risen.IDs {
		if id == share {
			return risen.Lows[i]
		}
	}
	return 0
}

// TestLowMarks checks that a low mark passes neither what is pending without a row, nor the events
// of any publication that is under way.
func TestLowMarks(t *testing.T) {
	m := owning(t, 5, 8)
	m.Saw(20)
	want := func(when string, want int64) {
		t.Helper()
		if got := low(m); got != want {
			t.Errorf("%s: got %d, want %d", when, got, want)
		}
	}
	want("with 5 and 8 pending", 4)
	m.Apply(memory.Change{Delivery: delivery(5)}, 0)
	want("with 8 pending", 7)
	m.Apply(memory.Change{Delivery: delivery(8), Pending: true, Due: 1}, 0) // it has a row now
	want("with nothing pending without a row", 20)
	first := m.BeginPublication()
	m.Saw(30)
	second := m.BeginPublication()
	m.Saw(40)
	want("while two publish", 20)
	m.EndPublication(second)
	want("while the first of two still publishes", 20)
	m.EndPublication(first)
	want("when both have ended", 40)
	if risen := m.RisenLows(1000); len(risen.IDs) > 0 {
		t.Errorf("by less than a step: got %v, want none", risen)
	}
}

// TestSpill checks that what is too old, or too much, gets rows, and not what is leased.
func TestSpill(t *testing.T) {
	m := owning(t, 5, 6, 7, 1000)
	if got := m.OldestRowless(10); len(got) > 0 {
		t.Errorf("within the limits: got %v, want none", got)
	}
	m.SetLimits(100, 100)
	if got, want := m.OldestRowless(2),
		[]memory.Delivery{delivery(5), delivery(6)}; !slices.Equal(got, want) {
		t.Errorf("too old, two at most: got %v, want %v", got, want)
	}
	m.SetLimits(3, 1_000_000)
	if got := m.OldestRowless(10); len(got) != 3 {
		t.Errorf("too many: got %v, want the older half", got)
	}
	lease(t, m)
	if got := m.OldestRowless(10); len(got) > 0 {
		t.Errorf("leased: got %v, want none", got)
	}
}

// TestOthersShare checks that nothing is noted of a share that is another's: who takes it over
// reads it.
func TestOthersShare(t *testing.T) {
	m := newMemory(t)
	m.Feed(delivery(5), 0)
	m.Apply(memory.Change{Delivery: delivery(6), Pending: true}, 0)
	if got := lease(t, m); len(got) > 0 {
		t.Errorf("leased: %v", seqs(got))
	}
	if n, _ := m.Rowless(); n > 0 {
		t.Errorf("%d pending without a row, want none", n)
	}
}

// TestCanceled checks that a subscription whose pending deliveries were canceled has none of them,
// and that a deleted one has nothing.
func TestCanceled(t *testing.T) {
	m := owning(t, 5, 6, 7)
	for _, l := range lease(t, m) { // its state is known from here on
		m.Schedule.Release(l, 0)
	}
	st := &memory.State{
		Sub:        store.Subscription{ID: "s", URL: "https://endpoint.example/", Status: store.Subscribed},
		CanceledTo: 7,
		Health:     store.Health{Healthy: true},
	}
	m.SetState(sub, st, 0)
	if got, want := seqs(lease(t, m)), []uint64{7}; !slices.Equal(got, want) {
		t.Errorf("leased after what came before 7 was canceled: got %v, want %v", got, want)
	}
	m.SetState(sub, nil, 0)
	if n, _ := m.Rowless(); n > 0 {
		t.Errorf("after the deletion: %d are pending", n)
	}
}

// TestWake checks that who waits is woken when something becomes claimable, and not before the lock
// is free.
func TestWake(t *testing.T) {
	woken := 0
	var m *memory.Memory
	m = memory.New(func() {
		m.Lock() // it would never return if Unlock still held it
		defer m.Unlock()
		woken++
	})
	m.Lock()
	m.Redeal(dealt(0, 0, 0, false), wanted(me), me, 0)
	m.Acquired([]int32{share}, map[int32]int64{share: 1})
	m.Install([]int32{share}, &memory.Loaded{Shares: dealt(me, 1, 0, true)}, me, 0)
	m.Unlock()
	before := woken
	m.Lock()
	m.Feed(delivery(5), 0)
	m.Unlock()
	if woken != before+1 {
		t.Errorf("woken %d times by a delivery, want once", woken-before)
	}
}

// TestPositions checks that what the database has as due is the same again.
func TestPositions(t *testing.T) {
	for _, due := range []int64{0, 1, memory.LastAtOnce, time.Now().UnixMicro()} {
		if got := memory.DueOf(memory.PositionOf(due, 7)); got != due {
			t.Errorf("due %d: got %d", due, got)
		}
	}
	at := time.Now().Truncate(time.Microsecond)
	if got := memory.PositionOf(at.UnixMicro(), 7).Due; got != at.UnixNano() {
		t.Errorf("due at %v: got %d, want nanoseconds", at, got)
	}
}

// TestLateNews has memory told of a transaction of a server that has died, after its standby was
// read or while it is: what that does not have must be read once more. What is told of the present
// server makes no doubt.
func TestLateNews(t *testing.T) {
	for _, tt := range []struct {
		name string
		tell func(m *memory.Memory, tell, resync func())
	}{
		{"while it is read", func(m *memory.Memory, tell, resync func()) { tell(); resync() }},
		{"after it was read", func(m *memory.Memory, tell, resync func()) { resync(); tell() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := owning(t, 1, 2)
			if got := seqs(lease(t, m)); !slices.Equal(got, []uint64{1, 2}) {
				t.Fatalf("leased: got %v, want both", got)
			}
			server := m.Server()
			l := func() *memory.Loaded {
				return &memory.Loaded{
					Shares: dealt(me, 1, 0, true), Rowless: []memory.Delivery{delivery(1)},
				}
			}
			m.BeginResync(true)
			tt.tell(m, func() {
				m.Since(server)
				m.Apply(memory.Change{Delivery: delivery(1)}, 0)
			}, func() { m.Resync(l(), me, 0) })
			if !m.Doubted() {
				t.Fatal("there is no doubt")
			}
			m.BeginResync(false)
			m.Resync(l(), me, 0)
			if got := seqs(lease(t, m)); !slices.Equal(got, []uint64{1}) {
				t.Errorf("leased: got %v, want what the server does not know to have ended", got)
			}
			m.Since(m.Server())
			if m.Doubted() {
				t.Error("what the present server says makes a doubt")
			}
		})
	}
}
