package order

import (
	"math/rand/v2"
	"slices"
	"testing"
)

const maxWindow = 64

// TestWindow fills a window past its bounds, with the file standing behind it.
func TestWindow(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := Empty()
		var file []Position // all that is free to be claimed
		for range 500 {
			if p, ok := w.First(); ok && r.IntN(3) == 0 {
				if p != file[0] {
					t.Fatalf("seed %d: first is %v, want %v", seed, p, file[0])
				}
				w.Remove(p.Seq)
				file = file[1:]
			} else {
				p := Position{int64(r.IntN(1000)), r.Uint64()}
				i, _ := slices.BinarySearchFunc(file, p, Position.Compare)
				file = slices.Insert(file, i, p)
				w.Add(p, maxWindow)
			}
			if w.positions.size > maxWindow {
				t.Fatalf("seed %d: the window has %d positions", seed, w.positions.size)
			}
			if w.NeedsLoad() {
				i, _ := slices.BinarySearchFunc(file, w.upTo, Position.Compare)
				n := min(len(file)-i, maxWindow)
				upTo := w.upTo
				if n > 0 {
					upTo = file[i+n-1]
				}
				w.Load(slices.Clone(file[i:i+n]), upTo, i+n == len(file))
			}
			if w.Len() == 0 && w.positions.blocks != nil {
				t.Fatalf("seed %d: an empty window holds memory", seed)
			}
			if w.Maybe() != (len(file) > 0) {
				t.Fatalf("seed %d: maybe: %v, and there are %d", seed, w.Maybe(), len(file))
			}
		}
	}
}
