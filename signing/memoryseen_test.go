package signing_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/signing"
)

func TestMemorySeenBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &signing.MemorySeen{Max: 3, Keep: time.Hour}
		wantSeen(t, m, "", "a")
		add(t, m, "a", "b", "a", "c")
		wantSeen(t, m, "abc", "d")
		add(t, m, "d") // a, which came first although it came again, has to go
		wantSeen(t, m, "bcd", "a")
		<-time.After(59 * time.Minute)
		add(t, m, "e")
		wantSeen(t, m, "cde", "ab")
		<-time.After(time.Minute)
		wantSeen(t, m, "e", "abcd")
		add(t, m, "c") // after it was forgotten, for an hour from now
		<-time.After(59 * time.Minute)
		wantSeen(t, m, "c", "abde")
		<-time.After(time.Minute)
		wantSeen(t, m, "", "abcde")
	})
}

func add(t *testing.T, s signing.Seen, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Add(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
}

// wantSeen checks ids of one letter each.
func wantSeen(t *testing.T, s signing.Seen, seen, not string) {
	t.Helper()
	for want, ids := range map[bool]string{true: seen, false: not} {
		for _, id := range ids {
			if got, err := s.Has(t.Context(), string(id)); got != want || err != nil {
				t.Errorf("Has(%c) = %t, %v; want %t", id, got, err, want)
			}
		}
	}
}

// Whatever is added and however time passes, exactly those ids are remembered that the bounds leave.
func TestMemorySeenAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		most := rapid.IntRange(1, 5).Draw(rt, "max")
		steps := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 100).Draw(rt, "steps")
		wrong := "" // rapid must be told outside of the bubble
		synctest.Test(t, func(*testing.T) { wrong = compareWithModel(t, most, steps) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// compareWithModel adds the ids that the steps are, with time in between, and says what differs.
func compareWithModel(t *testing.T, most int, steps []int) string {
	const keep = 10 * time.Second
	type entry struct {
		id string
		at time.Time
	}
	var model []entry // oldest first
	m := &signing.MemorySeen{Max: most, Keep: keep}
	for i, step := range steps {
		id := fmt.Sprint(step)
		for len(model) > 0 && time.Since(model[0].at) >= keep {
			model = model[1:]
		}
		want := slices.ContainsFunc(model, func(e entry) bool { return e.id == id })
		if got, _ := m.Has(t.Context(), id); got != want {
			return fmt.Sprintf("before step %d of %v, Has(%s) = %t, want %t", i, steps, id, got, want)
		}
		m.Add(t.Context(), id)
		if !want {
			if model = append(model, entry{id, time.Now()}); len(model) > most {
				model = model[1:]
			}
		}
		<-time.After(time.Duration(step) * time.Second / 2)
	}
	return ""
}

// Memory is bounded by Max, however many ids come.
func TestMemorySeenMemory(t *testing.T) {
	const most, rounds = 1000, 200
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	m := &signing.MemorySeen{Max: most}
	n := 0
	fill := func(rounds int) {
		for range rounds * most {
			add(t, m, fmt.Sprintf("018f3c1e-7a55-7000-8000-%012d", n))
			n++
		}
	}
	empty := heap()
	fill(3)
	full := heap() - empty
	fill(rounds)
	if later := heap() - empty; later > 4*full {
		t.Errorf("%d bytes after %d times as many ids, %d before", later, rounds/3, full)
	}
	runtime.KeepAlive(m)
}
