package main

import (
	"context"
	"time"

	"github.com/outhook/outhook/internal/bench/plain"
	"github.com/outhook/outhook/internal/bench/usage"
)

// rawWorkers is how many requests the ceiling has in flight.
const rawWorkers = plain.Workers

// raw posts so many requests with a plain net/http client, and measures that.
func (b *bench) raw(ctx context.Context, n int) (usage.Spent, error) {
	client := plain.NewClient()
	defer client.CloseIdleConnections()
	url := b.receiver.Hook(0)
	if err := b.receiver.Expect(ctx, 1, rawWorkers); err != nil {
		return usage.Spent{}, err
	}
	if err := plain.PostAll(ctx, client, url, rawWorkers); err != nil { // opens the connections
		return usage.Spent{}, err
	}
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return usage.Spent{}, err
	}
	before := usage.Begin()
	if err := plain.PostAll(ctx, client, url, n); err != nil {
		return usage.Spent{}, err
	}
	s := before.End(time.Now(), n)
	_, err := b.receiver.Judge(ctx)
	return s, err
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
