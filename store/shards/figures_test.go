package shards_test

import (
	"context"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// figured is a shard with figures of a time of its own.
type figured struct {
	*memstore.Store
	figures store.Figures
}

func (f *figured) Figures(context.Context, store.FiguresQuery) (store.Figures, error) {
	return f.figures, nil
}

// TestFiguresOfShards adds up those of shards, one of which is in the next minute already. The
// percentiles are those of all answers together.
func TestFiguresOfShards(t *testing.T) {
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	shard := func(start time.Time, took time.Duration, delivered ...int) *figured {
		f := store.Figures{Start: start, Each: time.Minute}
		for _, n := range delivered {
			f.Sums = append(f.Sums, store.Figure{
				Delivered: n, Answers: []store.Answers{{Took: took, Count: n}},
			})
		}
		return &figured{memstore.New(), f}
	}
	s, err := shards.New(func(string) int { return 0 },
		shard(start, time.Second, 1, 2, 3),
		shard(start.Add(time.Minute), time.Millisecond, 20, 30, 40),
		shard(start, time.Minute, 100, 200, 300))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := s.Figures(t.Context(), store.FiguresQuery{AnyTenant: true})
	if err != nil || !f.Start.Equal(start.Add(time.Minute)) || len(f.Sums) != 3 {
		t.Fatalf("got %+v, %v, want 3 from %v on", f, err, start.Add(time.Minute))
	}
	for i, want := range []int{20 + 2 + 200, 30 + 3 + 300, 40} {
		if got := f.Sums[i].Delivered; got != want {
			t.Errorf("minute %d: got %d delivered, want %d", i, got, want)
		}
	}
	for p, want := range map[int]time.Duration{5: time.Millisecond, 50: time.Minute} {
		if got := f.Sums[0].Percentile(p); got != want {
			t.Errorf("%d %% of the answers: got %v, want %v", p, got, want)
		}
	}
}
