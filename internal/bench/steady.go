package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
)

// steady measures how long events take from Publish to the receiver while they come at a steady
// rate.
func (b *bench) steady(ctx context.Context) error {
	for _, at := range []struct {
		rate     int
		p50, p99 float64 // ms
	}{{500, 1.3, 4}, {5000, 1.5, 7}} {
		rate, seconds := b.size(at.rate, 200), b.size(20, 1)
		l, err := b.steadily(ctx, rate, seconds)
		if err != nil {
			return err
		}
		work := fmt.Sprintf("%d events a second for %d s", rate, seconds)
		b.log("N5 %s: p50 %v, p99 %v, longest %v", work, l.P50, l.P99, l.Max)
		b.table.add(figure{"N5", work, "publish to arrival, p50", ms(l.P50), " ms", at.p50, atMost})
		b.table.add(figure{"N5", work, "publish to arrival, p99", ms(l.P99), " ms", at.p99, atMost})
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (b *bench) steadily(ctx context.Context, rate, seconds int) (l receiver.Latency, err error) {
	h, err := b.newHost(0)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.subscribe(ctx, benchType, 1, b.receiver.Hook); err != nil {
		return l, err
	}
	h.run(ctx)
	if err := b.warm(ctx, h, 1); err != nil {
		return l, err
	}
	l, err = b.healthy(ctx, h.dispatcher.Publish, rate, seconds)
	return l, errors.Join(err, h.drain(), settled(ctx, h.store))
}

// healthy publishes at a rate to the subscription of /hook/0, and returns how long the events took.
func (b *bench) healthy(
	ctx context.Context, to publisher, rate, seconds int,
) (l receiver.Latency, err error) {
	n := rate * seconds
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return l, err
	}
	if err := publishSteadily(ctx, to, benchType, n, rate); err != nil {
		return l, err
	}
	if _, err := b.receiver.Wait(ctx); err != nil {
		return l, err
	}
	r, err := b.receiver.Judge(ctx)
	if err != nil {
		return l, err
	}
	return r.Latency[0], nil
}
