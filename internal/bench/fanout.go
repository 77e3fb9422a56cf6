package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
)

const otherType = "nobody.publishes.it"

// subscribers compares what a publisher waits for among a hundred subscriptions and among a hundred
// thousand, and one of them wants the event.
func (b *bench) subscribers(ctx context.Context) error {
	few, many := 100, b.size(100_000, 1000)
	p50, err := b.publishAmong(ctx, few, many)
	if err != nil {
		return err
	}
	work := fmt.Sprintf("%d → %d subscriptions, one wants the event", few, many)
	b.table.add(figure{"N8", work, "publish p50, growth", median(quotients(p50[1], p50[0])), "", 1.2,
		atMost})
	return nil
}

// publishAmong returns for each number of subscriptions the median of what a publisher waits for,
// in ms, in each round.
func (b *bench) publishAmong(ctx context.Context, counts ...int) (p50 [][]float64, err error) {
	hosts := make([]*host, len(counts))
	for i, n := range counts {
		h, err := b.newHost(0)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, h.close()) }()
		hosts[i] = h
		start := time.Now()
		err = errors.Join(
			h.subscribe(ctx, otherType, n-1, b.receiver.Hook),
			h.subscribe(ctx, benchType, 1, b.receiver.Hook),
		)
		if err != nil {
			return nil, err
		}
		b.log("N8: %d subscriptions made in %v", n, time.Since(start).Round(time.Millisecond))
	}
	p50 = make([][]float64, len(counts))
	for range b.rounds {
		for i, h := range hosts {
			took, err := publish(ctx, h.dispatcher.Publish, benchType, b.size(500, 20), 1, 1)
			if err != nil {
				return nil, err
			}
			l := receiver.Summarize(took)
			b.log("N8: publish p50 %v among %d", l.P50, counts[i])
			p50[i] = append(p50[i], ms(l.P50))
		}
	}
	return p50, nil
}

// fanOut measures how fast events for ten thousand subscriptions are enqueued.
func (b *bench) fanOut(ctx context.Context) (err error) {
	subscriptions, events := b.size(10_000, 100), b.size(50, 5)
	h, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.subscribe(ctx, benchType, subscriptions, b.receiver.Hook); err != nil {
		return err
	}
	var rates []float64
	var longest time.Duration
	for range b.rounds {
		start := time.Now()
		took, err := publish(ctx, h.dispatcher.Publish, benchType, events, 1, 1)
		if err != nil {
			return err
		}
		rates = append(rates, float64(subscriptions*events)/time.Since(start).Seconds())
		longest = max(longest, receiver.Summarize(took).Max)
	}
	s, err := h.store.Stats(ctx, "")
	if err == nil && s.Pending != subscriptions*events*b.rounds {
		err = fmt.Errorf("%d deliveries are pending, not %d", s.Pending, subscriptions*events*b.rounds)
	}
	work := fmt.Sprintf("one event to %d subscriptions, one publisher (the store alone)",
		subscriptions)
	b.log("N9: %.0f deliveries/s, longest publish %v", median(rates), longest)
	b.table.add(figure{"N9", work, "deliveries enqueued/s", median(rates), "", 150_000, atLeast})
	return err
}
