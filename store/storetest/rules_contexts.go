package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

func contextRules() []rule {
	return []rule{
		{name: "host-transaction", test: testContextsHost, hosted: true, real: true,
			rule: "While a transaction of the host's is open, a call returns soon after its context has ended at the latest."},
		{name: "host-transaction-reads", test: testReadsHost, hosted: true, real: true,
			rule: "While a transaction of the host's is open, methods that read, and Claim, go on."},
	}
}

// soon is when the context of a call ends that something else holds up.
const soon = 100 * time.Millisecond

// ends checks that calls end, each begun with a context of its own that ends soon, while something holds them up that
// goes on until all have returned. A call may succeed; it must not fail but by its context.
func (c *check) ends(what string, calls []call, goOn func()) {
	errs := make([]chan error, len(calls))
	for i, call := range calls {
		errs[i] = make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(c.ctx, soon)
			defer cancel()
			errs[i] <- call.do(ctx)
		}()
	}
	late := time.After(c.bound / 2) // the watchdog need not bite: what holds them up is ours
	isLate := false
	for i, call := range calls {
		var err error
		if !isLate {
			select {
			case err = <-errs[i]:
			case <-late:
				isLate = true
			}
		}
		if isLate { // some have returned all the same
			select {
			case err = <-errs[i]:
			default:
				c.errorf("%s, %s: had not returned %v after it was called, though its context ended after %v",
					what, call.name, c.bound/2, soon)
				continue
			}
		}
		errs[i] = nil
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			c.errorf("%s, %s: got error %v, want none or that its context has ended", what, call.name, err)
		}
	}
	goOn()
	for _, err := range errs {
		if err != nil {
			<-err // it must not run into what follows
		}
	}
}

func testContextsHost(c *check) {
	sub, leased, died := c.prepare()
	other := c.subscribe("nothing")
	calls := slices.DeleteFunc(c.calls(sub, leased, died), func(call call) bool { return call.name == "DeleteSubscription" })
	calls = append(calls, call{"DeleteSubscription", func(ctx context.Context) error { // not of the one that others look at
		return c.store.DeleteSubscription(ctx, other.ID)
	}})
	tx := c.enqueued(c.messages(1)...)
	c.ends("with a transaction of the host's open", calls, func() {
		c.must("Rollback", tx.Rollback(c.ctx))
	})
	c.must("Enqueue after it", c.store.Enqueue(c.ctx, c.messages(1)...))
}

func testReadsHost(c *check) {
	sub, leased, _ := c.prepare()
	tx := c.enqueued(c.messages(1)...)
	ctx, cancel := context.WithTimeout(c.ctx, c.bound/2)
	defer cancel()
	for _, call := range append(c.readCalls(sub, leased), call{"Claim", func(ctx context.Context) error {
		_, err := c.store.Claim(ctx, store.ClaimRequest{Max: 1, Lease: c.long})
		return err
	}}) {
		c.is(call.name+" with a transaction of the host's open", call.do(ctx), nil)
	}
	c.must("Rollback", tx.Rollback(c.ctx))
}
