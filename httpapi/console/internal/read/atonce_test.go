package read

import (
	"strings"
	"sync/atomic"
	"testing"
)

// All of a list is read, each row once, and what goes wrong in one is an error of the page: a panic
// in a goroutine of the console's would end the host.
func TestAtOnce(t *testing.T) {
	var read [100]atomic.Int32
	err := atOnce(len(read), func(i int) error {
		read[i].Add(1)
		if i == 42 {
			panic("of a host's own store")
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "of a host's own store") {
		t.Errorf("got the error %v, want that of the panic", err)
	}
	for i := range read {
		if n := read[i].Load(); n != 1 {
			t.Errorf("%d was read %d times", i, n)
		}
	}
	if err := atOnce(0, nil); err != nil {
		t.Errorf("nothing to read: got %v", err)
	}
}
