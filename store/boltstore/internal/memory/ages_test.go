package memory

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// TestAges notes what finishes, of more events than there are runs for, and takes what is due: no
// event may be missing that has something past its retention, and what memory takes is bounded.
func TestAges(t *testing.T) {
	const events = 20 * maxRuns << runShift
	r := store.Retention{Delivered: 100, Failed: 10_000}
	a := ages{shift: runShift}
	type ending struct {
		seq       uint64
		delivered bool
		at        int64
	}
	var kept []ending
	now := int64(1)
	for round := range 50 {
		for range 500 {
			e := ending{1 + rand.Uint64N(events), rand.IntN(2) == 0, now}
			kept = append(kept, e)
			a.noteFinished(e.seq, e.delivered, e.at)
			now += rand.Int64N(3)
		}
		if len(a.Runs) > maxRuns {
			t.Fatalf("round %d: there are %d runs, want at most %d", round, len(a.Runs), maxRuns)
		}
		taken := a.due(r, now)
		stays := ages{shift: a.shift}
		left := kept[:0]
		for _, e := range kept {
			in := false
			for _, st := range taken {
				in = in || st.From <= e.seq && e.seq <= st.To
			}
			keep := r.Failed
			if e.delivered {
				keep = r.Delivered
			}
			switch past := now-e.at > int64(keep); {
			case past && !in:
				t.Fatalf("round %d: event %d, which ended at %d, is not due at %d", round, e.seq,
					e.at, now)
			case past:
				continue
			case in:
				stays.noteFinished(e.seq, e.delivered, e.at)
			}
			left = append(left, e)
		}
		kept = left
		a.noteFinished(events+uint64(round)<<20, true, now) // may coarsen before the step is merged
		kept = append(kept, ending{events + uint64(round)<<20, true, now})
		a.mergeAll(&stays)
		if again := a.due(store.Retention{Delivered: 100, Failed: 10_000}, now); len(again) > 0 {
			t.Fatalf("round %d: %v are due at once again", round, again)
		}
	}
	if a.shift == runShift {
		t.Error("the runs have not become longer: the test has too few events")
	}
	if a.due(store.Retention{}, now+int64(time.Hour)) != nil {
		t.Error("something is due that is kept for ever")
	}
}
