package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/chart"
	"github.com/outhook/outhook/internal/bench/eventpath"
	"github.com/outhook/outhook/internal/bench/pictures"
	"github.com/outhook/outhook/internal/bench/plain"
)

type drawing struct{ *bench } // draws the pictures of what it measures

// drawAll measures what each picture shows, and writes it.
func (b drawing) drawAll(ctx context.Context) error {
	b.rounds = min(b.rounds, 3)
	type drawn struct {
		name string
		draw func(drawing, context.Context) (chart.Sheet, error)
	}
	all := slices.DeleteFunc([]drawn{
		{"event", drawing.drawEvent},
		{"latency", drawing.drawLatency},
		{"growth", drawing.drawGrowth},
	}, func(p drawn) bool { return !b.selected(p.name) })
	for i, p := range all {
		stop := b.progress.Watch("%s, %d of %d", p.name, i+1, len(all))
		sheet, err := p.draw(b, ctx)
		stop()
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(b.draw, p.name+".svg"), sheet.SVG(), 0o644); err != nil {
			return err
		}
		b.log("%s: %s", p.name, sheet.Description)
	}
	return nil
}

// drawEvent draws the path of an event that is alone, and of one among many.
func (b drawing) drawEvent(ctx context.Context) (s chart.Sheet, err error) {
	paths := make([]eventpath.Path, 2)
	for i, rate := range []int{b.size(50, 200), b.size(5000, 500)} {
		n := b.size([]int{500, 30_000}[i], 50)
		paths[i], err = eventpath.Measure(ctx, b.dir, b.receiver, eventpath.Load{
			Rate: rate, Events: n,
			Publish: func(ctx context.Context, to eventpath.Publisher) error {
				return publishSteadily(ctx, publisher(to), benchType, n, rate)
			},
			Warm: func(ctx context.Context, to eventpath.Publisher) error {
				return b.warmBy(ctx, publisher(to), 1)
			},
		})
		if err != nil {
			return s, err
		}
	}
	return pictures.Event(paths[0], paths[1]), nil
}

// drawLatency draws how long events take at two rates, through a Dispatcher and by plain requests.
func (b drawing) drawLatency(ctx context.Context) (s chart.Sheet, err error) {
	client, err := b.plainClient(ctx)
	if err != nil {
		return s, err
	}
	defer client.CloseIdleConnections()
	raw := func(ctx context.Context, evs ...events.Event) error {
		body, err := evs[0].Body()
		if err != nil {
			return err
		}
		return plain.Post(ctx, client, b.receiver.Hook(0), evs[0].ID, body)
	}
	var rates []pictures.Rate
	for _, rate := range []int{500, 5000}[:b.size(2, 1)] {
		r, seconds := pictures.Rate{Events: rate}, b.size(10, 1)
		if r.Raw, err = b.healthy(ctx, raw, rate, seconds); err != nil {
			return s, err
		}
		if r.Ours, err = b.steadily(ctx, rate, seconds); err != nil {
			return s, err
		}
		rates = append(rates, r)
	}
	return pictures.Latency(rates), nil
}

// drawGrowth draws what a store does with ever more deliveries pending, and ever more
// subscriptions.
func (b drawing) drawGrowth(ctx context.Context) (s chart.Sheet, err error) {
	sizes, err := b.stocks(ctx)
	defer closeAll(sizes)
	if err != nil {
		return s, err
	}
	var pending []pictures.Pending
	for _, s := range sizes {
		pending = append(pending, pictures.Pending{Deliveries: s.pending, Deliver: median(s.deliver),
			Publish: median(s.publish), Open: ms(s.open)})
	}
	counts := []int{100, 1000, b.size(10_000, 2000), b.size(100_000, 3000)}
	p50, err := b.publishAmong(ctx, counts...)
	if err != nil {
		return s, err
	}
	var among []pictures.Among
	for i, n := range counts {
		among = append(among, pictures.Among{Subscriptions: n, Publish: median(p50[i])})
	}
	return pictures.Growth(pending, among), nil
}
