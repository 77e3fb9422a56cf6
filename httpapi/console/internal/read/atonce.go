package read

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// together is how many webhooks are read at once for a list.
const together = 8

// atOnce calls read for each number below n, some of them at the same time: in a database, what a
// row of a list needs takes a few round trips.
func atOnce(n int, read func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(together, n) {
		readers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = guarded(read, i)
			}
		})
	}
	readers.Wait()
	return errors.Join(errs...)
}

// guarded is read, but a panic is an error: it is in a goroutine of the console's, so that no
// server of the host's can recover from it.
func guarded(read func(i int) error, i int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("console: a panic: %v", p)
		}
	}()
	return read(i)
}
