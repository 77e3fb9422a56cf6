package schedule

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestImplicit compares a list with a plain one.
func TestImplicit(t *testing.T) {
	type item struct {
		seq             uint64
		taken, canceled bool
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l implicit
		var plain []item
		next := uint64(1)
		some := func() uint64 { return uint64(r.IntN(int(next) + 1)) }
		for range 300 {
			seq := some()
			i := slices.IndexFunc(plain, func(p item) bool { return p.seq == seq })
			switch r.IntN(6) {
			case 0, 1:
				l.add(next)
				plain = append(plain, item{seq: next})
				next += 1 + uint64(r.IntN(3))
			case 2:
				if l.take(seq); i >= 0 {
					plain[i].taken = true
				}
			case 3:
				if l.putBack(seq); i >= 0 {
					plain[i].taken = false
				}
			case 4:
				if l.remove(seq); i >= 0 {
					plain = slices.Delete(plain, i, i+1)
				}
			case 5:
				if r.IntN(10) > 0 {
					break
				}
				l.cancel(seq)
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
			got, ok := l.peek()
			gotOldest, _ := l.oldest()
			if got != first || ok != (first != 0) || l.live != live || l.size != len(plain) || gotOldest != oldest {
				t.Fatalf("seed %d: first %d, live %d, size %d, oldest %d, want %d, %d, %d, %d",
					seed, got, l.live, l.size, gotOldest, first, live, len(plain), oldest)
			}
			if down := l.downFrom(next, len(plain)+1); !slices.Equal(down, seqs) {
				t.Fatalf("seed %d: got %v, want %v", seed, down, seqs)
			}
			slices.Reverse(seqs)
			if up := l.upFrom(0, len(plain)+1); !slices.Equal(up, seqs) || !slices.Equal(l.upTo(next), seqs) {
				t.Fatalf("seed %d: got %v, want %v", seed, up, seqs)
			}
		}
	}
}

const maxWindow = 64

// TestWindow fills a window past its bounds, with the file standing behind it.
func TestWindow(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := window{complete: true}
		var file []Position // all that is free to be claimed
		for range 500 {
			if p, ok := w.first(); ok && r.IntN(3) == 0 {
				if p != file[0] {
					t.Fatalf("seed %d: first is %v, want %v", seed, p, file[0])
				}
				w.remove(p.Seq)
				file = file[1:]
			} else {
				p := Position{int64(r.IntN(1000)), r.Uint64()}
				i, _ := slices.BinarySearchFunc(file, p, Position.Compare)
				file = slices.Insert(file, i, p)
				w.add(p, maxWindow)
			}
			if w.positions.size > maxWindow {
				t.Fatalf("seed %d: the window has %d positions", seed, w.positions.size)
			}
			if w.needsLoad() {
				i, _ := slices.BinarySearchFunc(file, w.upTo, Position.Compare)
				n := min(len(file)-i, maxWindow)
				upTo := w.upTo
				if n > 0 {
					upTo = file[i+n-1]
				}
				w.load(slices.Clone(file[i:i+n]), upTo, i+n == len(file))
			}
			if w.maybe() != (len(file) > 0) {
				t.Fatalf("seed %d: maybe: %v, and there are %d", seed, w.maybe(), len(file))
			}
		}
	}
}
