package heap

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type item struct{ rank, pos int }

func (i *item) Before(o *item) bool { return i.rank < o.rank }
func (i *item) Index() *int         { return &i.pos }

// TestHeap compares a heap with a plain list, over random changes.
func TestHeap(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		var h Of[*item]
		var plain []*item
		all := make([]*item, 20)
		for i := range all {
			all[i] = new(item)
		}
		for range 300 {
			it := all[r.IntN(len(all))]
			in := slices.Index(plain, it)
			switch r.IntN(4) {
			case 0, 1:
				it.rank = r.IntN(100)
				if h.Set(it); in < 0 {
					plain = append(plain, it)
				}
			case 2:
				if h.Drop(it); in >= 0 {
					plain = slices.Delete(plain, in, in+1)
				}
			case 3:
				for _, it := range plain {
					it.rank = -it.rank
				}
				h.Reorder()
			}
			check(t, &h, plain)
		}
	}
}

// check compares a heap with what is to be in it.
func check(t *testing.T, h *Of[*item], plain []*item) {
	t.Helper()
	byRank := func(a, b *item) int { return a.rank - b.rank }
	first, ok := h.First()
	if ok != (len(plain) > 0) || ok && first.rank != slices.MinFunc(plain, byRank).rank {
		t.Fatalf("first is %v, %v of %d", first, ok, len(plain))
	}
	if h.Len() != len(plain) {
		t.Fatalf("it has %d items, want %d", h.Len(), len(plain))
	}
	for i, it := range h.Items() {
		if !slices.Contains(plain, it) || it.pos != i+1 {
			t.Fatalf("item %+v is at %d", *it, i)
		}
	}
	seen, small := 0, 0
	h.Walk(0, func(it *item) bool {
		if seen++; it.rank < 10 {
			small++
		}
		return it.rank < 10 // what is below another is no smaller
	})
	want := 0
	for _, it := range plain {
		if it.rank < 10 {
			want++
		}
	}
	if small != want || seen > 2*want+1 {
		t.Fatalf("a walk over ranks below 10 saw %d of %d, and %d in all", small, want, seen)
	}
}
