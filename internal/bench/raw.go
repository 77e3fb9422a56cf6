package main

import (
	"context"
	"net/http"
	"time"

	"github.com/outhook/outhook/internal/bench/plain"
	"github.com/outhook/outhook/internal/bench/usage"
)

// rawWorkers is how many requests the ceiling has in flight.
const rawWorkers = plain.Workers

// raw posts so many requests with a plain net/http client, and measures that.
func (b *bench) raw(ctx context.Context, n int) (usage.Spent, error) {
	client, err := b.plainClient(ctx)
	if err != nil {
		return usage.Spent{}, err
	}
	defer client.CloseIdleConnections()
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return usage.Spent{}, err
	}
	before := usage.Begin()
	if err := plain.PostAll(ctx, client, b.receiver.Hook(0), n); err != nil {
		return usage.Spent{}, err
	}
	s := before.End(time.Now(), n)
	_, err = b.receiver.Judge(ctx)
	return s, err
}

// plainClient returns a client whose connections are open.
func (b *bench) plainClient(ctx context.Context) (*http.Client, error) {
	client := plain.NewClient()
	err := b.receiver.Expect(ctx, 1, rawWorkers)
	if err == nil {
		err = plain.PostAll(ctx, client, b.receiver.Hook(0), rawWorkers)
	}
	return client, err
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
