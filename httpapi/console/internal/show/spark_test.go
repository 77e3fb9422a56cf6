package show_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// The bars of a day stay inside of their picture, and an hour with one failure among very many
// attempts shows it.
func TestSpark(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		f := store.Figures{Sums: make([]store.Figure, 72)}
		attempts, bars := 0, 0
		for i := range f.Sums {
			if r.IntN(3) == 0 {
				continue
			}
			f.Sums[i] = store.Figure{Delivered: r.IntN(1000), Failed: r.IntN(1 + r.IntN(1000))}
			if n := f.Sums[i].Delivered + f.Sums[i].Failed; i >= 48 && n > 0 {
				attempts += n
				bars++
			}
		}
		if attempts == 0 {
			continue
		}
		s := show.NewSpark(&f, &store.AttemptStats{Delivered: 3, Failed: 1})
		if s.Tried != 4 || s.Success != 0.75 || !strings.HasPrefix(s.Label, "75 % of 4 attempts") {
			t.Fatalf("got %+v, want the numbers that other pages have", s)
		}
		seen := make(map[int]bool)
		for _, path := range []string{s.Good, s.Bad} {
			for part := range strings.SplitSeq(path, "M") {
				if part == "" {
					continue
				}
				var x, y, up int
				if _, err := fmt.Sscanf(part, "%d %dv-%d", &x, &y, &up); err != nil {
					t.Fatalf("%q: %v", part, err)
				}
				if x < 0 || x >= s.Width || y > 16 || up < 1 || y-up < 0 {
					t.Fatalf("%q is not inside of the picture", part)
				}
				seen[x] = true
			}
		}
		if len(seen) != bars {
			t.Fatalf("got bars at %d places, want %d", len(seen), bars)
		}
	}
	one := store.Figures{Sums: []store.Figure{{Delivered: 100_000, Failed: 1}}}
	day := store.AttemptStats{Delivered: 100_000, Failed: 1}
	if s := show.NewSpark(&one, &day); s.Bad == "" ||
		!strings.HasPrefix(s.Label, "> 99.9 % of 100,001") {
		t.Errorf("got %+v, want a bar for the one that failed", s)
	}
	if s := show.NewSpark(&store.Figures{}, &day); s.Tried != 100_001 || s.Good != "" {
		t.Errorf("attempts of an hour that is no longer shown: got %+v", s)
	}
	none := store.AttemptStats{}
	if s := show.NewSpark(&one, &none); s.Tried != 0 || s.Good != "" || s.Label != "" {
		t.Errorf("no attempts: got %+v", s)
	}
}
