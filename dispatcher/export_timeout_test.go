package dispatcher

import (
	"context"
	"time"
)

// Attempts returns what the attempts of a Run go on under.
func Attempts(ctx context.Context) context.Context { return &attemptsContext{Context: ctx} }

// Begin returns the context of an attempt, one for a dial of it, and what ends both.
func Begin(parent context.Context, d time.Duration) (ctx, dial context.Context, end func(clean bool)) {
	a := withTimeout(parent, time.Now(), d)
	dial, _ = a.dial()
	return a, dial, a.end
}

// DialContext returns the context of a dial that is for the attempt of ctx.
func DialContext(ctx context.Context) context.Context {
	dial, _ := ctx.(*attemptContext).dial()
	return dial
}
