package timed_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/outhook/outhook/store/internal/schedule/internal/timed"
)

// TestSet compares a set with a plain map.
func TestSet(t *testing.T) {
	type entry struct {
		value string
		end   int64
	}
	r := rand.New(rand.NewPCG(1, 2))
	var s timed.Set[string]
	want := make(map[uint64]entry)
	s.Remove(1)
	for now := range int64(2000) {
		num := r.Uint64N(20)
		switch r.IntN(4) {
		case 0:
			s.Remove(num)
			delete(want, num)
		default:
			e := entry{[]string{"a", "b"}[r.IntN(2)], now + r.Int64N(30)}
			s.Put(num, e.value, e.end)
			want[num] = e
		}
		var ended []uint64
		s.Expire(now, func(num uint64) { ended = append(ended, num) })
		for num, e := range want {
			if over := e.end <= now; over != slices.Contains(ended, num) {
				t.Fatalf("at %d: the end of %d, at %d, was told: %t", now, num, e.end, !over)
			} else if over {
				delete(want, num)
			}
		}
		if s.Len() != len(want) {
			t.Fatalf("at %d: Len is %d, want %d", now, s.Len(), len(want))
		}
		for num := range uint64(20) {
			if value, end := s.Get(num); (entry{value, end}) != want[num] {
				t.Fatalf("at %d: %d has %q until %d, want %+v", now, num, value, end, want[num])
			}
		}
		last := slices.Sorted(maps.Keys(want))
		if len(last) > 0 && now%100 == 99 {
			s.Expire(now+100, nil)
			clear(want)
		}
	}
}
