package unwanted_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/outhook/outhook/store/internal/unwanted"
)

func TestCounter(t *testing.T) {
	var c unwanted.Counter
	if got := c.Counts(); got != nil {
		t.Errorf("of nothing: got %v, want nil", got)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range unwanted.MaxTypes + 10 {
				c.Add(fmt.Sprintf("type.n%d", i), "first")
			}
		})
	}
	c.Add()
	wg.Wait()
	got := c.Counts()
	sum := 0
	for _, n := range got {
		sum += n
	}
	if want := 4 * 2 * (unwanted.MaxTypes + 10); sum != want {
		t.Errorf("events: got %d, want %d", sum, want)
	}
	if len(got) != unwanted.MaxTypes+1 || got[unwanted.Other] == 0 {
		t.Errorf("got %d types, %d events of others; want %d, and some", len(got), got[unwanted.Other],
			unwanted.MaxTypes+1)
	}
	got["first"] = 0
	if c.Counts()["first"] == 0 {
		t.Error("Counts returns the map itself, want a copy")
	}
}
