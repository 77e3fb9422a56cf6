package calls

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func contextRules() []check.Rule {
	return []check.Rule{
		{Name: "host-transaction", Test: testContextsHost, HostTx: true, RealTime: true,
			Sentence: "While a host transaction is open, a call returns soon after its context " +
				"has ended."},
		{Name: "host-transaction-reads", Test: testReadsHost, HostTx: true, RealTime: true,
			Sentence: "While a host transaction is open, methods that read, and Claim, do not " +
				"wait."},
	}
}

// soon is when the context of a call ends that something else holds up.
const soon = 100 * time.Millisecond

// ends checks that calls end, each begun with a context of its own that ends soon, while something
// holds them up that goes on until all have returned. A call may succeed; it must not fail but by
// its context.
func ends(c *check.Driver, what string, calls []call, goOn func()) {
	errs := make([]chan error, len(calls))
	for i, call := range calls {
		errs[i] = make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(c.Ctx(), soon)
			defer cancel()
			errs[i] <- call.do(ctx)
		}()
	}
	late := time.After(c.Bound / 2) // the watchdog need not bite: what holds them up is ours
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
		if isLate { // some may have returned
			select {
			case err = <-errs[i]:
			default:
				c.Errorf("%s, %s: had not returned %v after it was called, "+
					"though its context ended after %v",
					what, call.name, c.Bound/2, soon)
				continue
			}
		}
		errs[i] = nil
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			c.Errorf("%s, %s: got error %v, want none or that its context has ended", what,
				call.name, err)
		}
	}
	goOn()
	for _, err := range errs {
		if err != nil {
			<-err // it must not run into what follows
		}
	}
}

func testContextsHost(c *check.Driver) {
	sub, leased, died := prepare(c)
	other := c.Subscribe("nothing")
	calls := slices.DeleteFunc(calls(c, sub, leased, died), func(call call) bool {
		return call.name == "DeleteSubscription"
	})
	// not of the one that others look at
	calls = append(calls, call{"DeleteSubscription", func(ctx context.Context) error {
		return c.Store.DeleteSubscription(ctx, other.ID)
	}})
	tx := c.Enqueued(c.Messages(1)...)
	ends(c, "with a host transaction open", calls, func() {
		c.Must("Rollback", tx.Rollback(c.Ctx()))
	})
	c.Must("Enqueue after it", c.Store.Enqueue(c.Ctx(), c.Messages(1)...))
}

func testReadsHost(c *check.Driver) {
	sub, leased, _ := prepare(c)
	tx := c.Enqueued(c.Messages(1)...)
	ctx, cancel := context.WithTimeout(c.Ctx(), c.Bound/2)
	defer cancel()
	for _, call := range append(readCalls(c, sub, leased),
		call{"Claim", func(ctx context.Context) error {
			_, err := c.Store.Claim(ctx, store.ClaimRequest{Max: 1, Lease: c.Long})
			return err
		}}) {
		c.Is(call.name+" with a host transaction open", call.do(ctx), nil)
	}
	c.Must("Rollback", tx.Rollback(c.Ctx()))
}
