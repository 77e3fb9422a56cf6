package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/internal/bench/usage"
)

// load is a work that is measured against raw.
type load struct {
	name          string
	publishers    int
	batch         int
	subscriptions int
	events        int
	ratio         float64 // of raw's deliveries a second, at least
	cpu           float64 // of raw's CPU for each, at most; 0 for no target
	operators     bool    // browse the console meanwhile
}

func loads() []load {
	return []load{
		{"N1", 16, 100, 1, 30_000, 0.85, 1.25, false},
		{"N2", 256, 1, 1, 30_000, 0.80, 0, false},
		{"N2", 64, 1, 1, 30_000, 0.65, 1.6, false},
		{"N3", 16, 1, 1, 20_000, 0.45, 0, false},
		{"N4", 16, 1, 10, 3_000, 0.85, 0, false},
	}
}

func (l load) String() string {
	each := "one event each"
	if l.batch > 1 {
		each = fmt.Sprintf("batches of %d", l.batch)
	}
	to := "one subscription"
	if l.subscriptions > 1 {
		to = fmt.Sprintf("%d subscriptions", l.subscriptions)
	}
	return fmt.Sprintf("%d publishers, %s, %s", l.publishers, each, to)
}

// throughput measures raw and ours in turn, so that each of ours has a raw before and one after it.
func (b *bench) throughput(ctx context.Context, l load) error {
	l.events = b.size(l.events, 400)
	n := l.events * l.subscriptions
	raw, err := b.raw(ctx, n)
	if err != nil {
		return fmt.Errorf("raw: %w", err)
	}
	raws, ours := []usage.Spent{raw}, []usage.Spent(nil)
	var rates, cpus []float64
	for round := range b.rounds {
		us, err := b.deliver(ctx, l, round == b.rounds-1)
		if err != nil {
			return err
		}
		next, err := b.raw(ctx, n)
		if err != nil {
			return fmt.Errorf("raw: %w", err)
		}
		rate, cpu := (raw.Rate+next.Rate)/2, (raw.CPU+next.CPU)/2
		b.log("%s %v: %.0f/s of %.0f/s, %.1f µs of %.1f µs", l.name, l, us.Rate, rate, us.CPU, cpu)
		rates, cpus = append(rates, us.Rate/rate), append(cpus, us.CPU/cpu)
		raws, ours, raw = append(raws, next), append(ours, us), next
	}
	b.table.add(figure{l.name, l.String(), "deliveries/s ÷ raw", median(rates), "", l.ratio, atLeast})
	if l.cpu > 0 {
		b.table.add(figure{"N6", l.String(), "CPU for each ÷ raw", median(cpus), "", l.cpu, atMost})
	}
	b.table.addDetail("", "raw", raws)
	b.table.addDetail(l.name, l.String(), ours)
	return nil
}

// deliver publishes and delivers a load once, in a host of its own.
func (b *bench) deliver(ctx context.Context, l load, profiled bool) (s usage.Spent, err error) {
	h, err := b.newHost(rawWorkers)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.subscribe(ctx, benchType, l.subscriptions, b.receiver.Hook); err != nil {
		return s, err
	}
	h.run(ctx)
	if err := b.warm(ctx, h, l.subscriptions); err != nil {
		return s, err
	}
	if err := b.receiver.Expect(ctx, l.subscriptions, l.events); err != nil {
		return s, err
	}
	var folder string
	if profiled {
		folder = b.profile
	}
	stopProfile, err := usage.Profile(folder, fmt.Sprintf("%s-%d", l.name, l.publishers))
	if err != nil {
		return s, err
	}
	stopBrowsing, err := l.browse(ctx, h)
	if err != nil {
		return s, err
	}
	before := usage.Begin()
	_, err = publish(ctx, h.dispatcher.Publish, benchType, l.events, l.publishers, l.batch)
	if err != nil {
		return s, err
	}
	if _, err := b.receiver.Wait(ctx); err != nil {
		return s, err
	}
	if err := errors.Join(h.drain(), settled(ctx, h.store)); err != nil {
		return s, err
	}
	r, err := b.receiver.Judge(ctx)
	if err != nil {
		return s, err
	}
	s = before.End(time.Unix(0, r.Last), l.events*l.subscriptions)
	if err := errors.Join(stopBrowsing(), stopProfile(), h.store.Close()); err != nil {
		return s, err
	}
	n, err := commits(h.path)
	// A commit syncs twice: the pages, and the page that says which count.
	s.Syncs = float64(2*n) / float64(s.N) * 1000
	return s, err
}

// warm opens the connections, and proves the endpoints.
func (b *bench) warm(ctx context.Context, h *host, subscriptions int) error {
	return b.warmBy(ctx, h.dispatcher.Publish, subscriptions)
}

// warmBy is warm for what takes events.
func (b *bench) warmBy(ctx context.Context, to publisher, subscriptions int) error {
	n := 2 * rawWorkers
	if err := b.receiver.Expect(ctx, subscriptions, n); err != nil {
		return err
	}
	if _, err := publish(ctx, to, benchType, n, 1, n); err != nil {
		return err
	}
	_, err := b.receiver.Wait(ctx)
	return err
}
