package pgstore

import (
	"maps"
	"slices"
	"sync"

	"github.com/outhook/outhook/store"
)

// ending are the leases of successes that Finish was called with and has not recorded yet. They count no more against the
// limits of Claim: the requests are over.
type ending struct {
	mu     sync.Mutex // guards tokens
	tokens map[int64]struct{}
}

// begin takes in the successes among the outcomes, and reports whether there are any.
func (e *ending) begin(outcomes []store.Outcome) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tokens == nil {
		e.tokens = make(map[int64]struct{})
	}
	before := len(e.tokens)
	for i := range outcomes {
		if outcomes[i].State == store.Delivered {
			e.tokens[int64(outcomes[i].Token)] = struct{}{}
		}
	}
	return len(e.tokens) > before
}

func (e *ending) end(outcomes []store.Outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range outcomes {
		delete(e.tokens, int64(outcomes[i].Token))
	}
}

// list returns their tokens.
func (e *ending) list() []int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.AppendSeq(make([]int64, 0, len(e.tokens)), maps.Keys(e.tokens))
}
