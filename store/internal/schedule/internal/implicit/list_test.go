package implicit

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestList compares a list with a plain one.
func TestList(t *testing.T) {
	type item struct {
		seq             uint64
		taken, canceled bool
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l List
		var plain []item
		next := uint64(1)
		some := func() uint64 { return uint64(r.IntN(int(next) + 1)) }
		for range 300 {
			seq := some()
			i := slices.IndexFunc(plain, func(p item) bool { return p.seq == seq })
			switch r.IntN(6) {
			case 0, 1:
				l.Add(next)
				plain = append(plain, item{seq: next})
				next += 1 + uint64(r.IntN(3))
			case 2:
				if l.Take(seq); i >= 0 {
					plain[i].taken = true
				}
			case 3:
				if l.PutBack(seq); i >= 0 {
					plain[i].taken = false
				}
			case 4:
				if l.Remove(seq); i >= 0 {
					plain = slices.Delete(plain, i, i+1)
				}
			case 5:
				if r.IntN(10) > 0 {
					break
				}
				l.Cancel(seq)
				for i := range plain {
					plain[i].canceled = plain[i].canceled || plain[i].seq < seq
				}
			}
			live, first, oldest := 0, uint64(0), uint64(0)
			var seqs []uint64
			for _, p := range slices.Backward(plain) {
				seqs = append(seqs, p.seq)
				if p.canceled {
					continue
				}
				live++
				if oldest = p.seq; !p.taken {
					first = p.seq
				}
			}
			got, ok := l.Peek()
			gotOldest, _ := l.Oldest()
			if got != first || ok != (first != 0) || l.live != live || l.size != len(plain) ||
				gotOldest != oldest {
				t.Fatalf("seed %d: first %d, live %d, size %d, oldest %d, want %d, %d, %d, %d",
					seed, got, l.live, l.size, gotOldest, first, live, len(plain), oldest)
			}
			if down := l.DownFrom(next, len(plain)+1); !slices.Equal(down, seqs) {
				t.Fatalf("seed %d: got %v, want %v", seed, down, seqs)
			}
			slices.Reverse(seqs)
			if up := l.UpFrom(0, len(plain)+1); !slices.Equal(up, seqs) ||
				!slices.Equal(l.UpTo(next), seqs) {
				t.Fatalf("seed %d: got %v, want %v", seed, up, seqs)
			}
		}
	}
}
