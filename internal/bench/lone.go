package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/outhook/outhook/internal/bench/plain"
	"github.com/outhook/outhook/internal/bench/receiver"
)

// lonePublisher compares what one publisher waits for with what one that puts the same into a bare
// bbolt file waits for.
func (b *bench) lonePublisher(ctx context.Context) error {
	n := b.size(1000, 20)
	var ratios []float64
	for range b.rounds {
		bare, err := plain.Puts(filepath.Join(b.dir, fmt.Sprintf("bare-%d.db", len(ratios))), n)
		if err != nil {
			return err
		}
		ours, err := b.lonePublishes(ctx, n)
		if err != nil {
			return err
		}
		b.log("N3 one publisher: p50 %v of a bare put's %v", ours.P50, bare.P50)
		ratios = append(ratios, float64(ours.P50)/float64(bare.P50))
	}
	b.table.add(figure{"N3", "one publisher", "publish p50 ÷ a bare bbolt put", median(ratios), "",
		1.3, atMost})
	return nil
}

// lonePublishes publishes events one after another while they are delivered.
func (b *bench) lonePublishes(ctx context.Context, n int) (l receiver.Latency, err error) {
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
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return l, err
	}
	took, err := publish(ctx, h.dispatcher.Publish, benchType, n, 1, 1)
	if err != nil {
		return l, err
	}
	if _, err := b.receiver.Wait(ctx); err != nil {
		return l, err
	}
	if err := errors.Join(h.drain(), settled(ctx, h.store)); err != nil {
		return l, err
	}
	_, err = b.receiver.Judge(ctx)
	return receiver.Summarize(took), err
}
