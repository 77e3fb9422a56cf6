package check

import (
	"context"
	"sync"
	"sync/atomic"
)

// InParallel does n things, 32 at a time, so that a store can commit them together. The first error
// ends it and is a violation.
func InParallel(c *Driver, n int, do func(i int) error) {
	ctx, cancel := context.WithCancel(c.Ctx())
	defer cancel()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					c.Errorf("call %d of %d: got error %v", i, n, err)
					cancel()
				}
			}
		})
	}
	wg.Wait()
}
