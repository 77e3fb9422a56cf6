package dispatchertest_test

import (
	"context"
	"fmt"
	"testing"
)

// run runs a test within an example, as go test runs one.
func run(test func(testing.TB)) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &exampleTB{ctx: ctx}
	defer func() {
		cancel()
		for _, f := range r.cleanups {
			f()
		}
	}()
	test(r)
}

// exampleTB is what of a testing.TB the examples use.
type exampleTB struct {
	testing.TB
	ctx      context.Context
	cleanups []func()
}

func (r *exampleTB) Helper()                      {}
func (r *exampleTB) Context() context.Context     { return r.ctx }
func (r *exampleTB) Cleanup(f func())             { r.cleanups = append(r.cleanups, f) }
func (r *exampleTB) Errorf(f string, args ...any) { fmt.Printf("FAIL: "+f+"\n", args...) }
func (r *exampleTB) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
func (r *exampleTB) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
