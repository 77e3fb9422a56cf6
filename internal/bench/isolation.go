package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/internal/bench/usage"
)

const (
	healthyRate = 50 // events a second
	sickType    = "sick.event"
)

// tarpit measures what a healthy subscription notices of one whose endpoint never answers.
func (b *bench) tarpit(ctx context.Context) error {
	seconds := b.size(6, 1)
	var ratios []float64
	for range min(b.rounds, 3) {
		alone, err := b.besideTarpit(ctx, seconds, false)
		if err != nil {
			return err
		}
		beside, err := b.besideTarpit(ctx, seconds, true)
		if err != nil {
			return err
		}
		b.log("N10: healthy p99 %v alone, %v beside a tarpit", alone.P99, beside.P99)
		ratios = append(ratios, float64(beside.P99)/float64(alone.P99))
	}
	b.table.add(figure{"N10", "a tarpit and a healthy subscription, 50 events/s each",
		"healthy p99 ÷ its p99 alone", median(ratios), "", 2, atMost})
	return nil
}

func (b *bench) besideTarpit(
	ctx context.Context, seconds int, tarpit bool,
) (l receiver.Latency, err error) {
	h, err := b.newHost(0)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	err = errors.Join(
		h.subscribe(ctx, benchType, 1, b.receiver.Hook),
		h.subscribe(ctx, sickType, 1, b.receiver.Tarpit),
	)
	if err != nil {
		return l, err
	}
	h.run(ctx)
	if err := b.warm(ctx, h, 1); err != nil {
		return l, err
	}
	sick := make(chan error, 1)
	go func() {
		if tarpit {
			sick <- publishSteadily(ctx, h.dispatcher.Publish, sickType, healthyRate*seconds, healthyRate)
		} else {
			sick <- nil
		}
	}()
	l, err = b.healthy(ctx, h.dispatcher.Publish, healthyRate, seconds)
	return l, errors.Join(err, <-sick)
}

// dead measures what a healthy subscription, and the process, notice of ten thousand that are dead
// and have a backlog: half of them refuse the connection, half of them never answer.
func (b *bench) dead(ctx context.Context) (err error) {
	subscriptions, each, seconds := b.size(10_000, 100), 10, b.size(20, 1)
	h, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	refusing, err := closedPort()
	if err != nil {
		return err
	}
	err = errors.Join(
		h.subscribe(ctx, benchType, 1, b.receiver.Hook),
		h.subscribe(ctx, sickType, subscriptions, func(i int) string {
			if i%2 == 0 {
				return fmt.Sprintf("http://%s/%d", refusing, i)
			}
			return b.receiver.Tarpit(i)
		}),
	)
	if err != nil {
		return err
	}
	h.run(ctx)
	if err := b.warm(ctx, h, 1); err != nil {
		return err
	}
	if _, err := publish(ctx, h.dispatcher.Publish, sickType, each, 1, 1); err != nil {
		return err
	}
	p := usage.WatchPeak()
	l, err := b.healthy(ctx, h.dispatcher.Publish, healthyRate, seconds)
	p.Stop()
	if err != nil {
		return err
	}
	work := fmt.Sprintf("%d dead endpoints with %d pending, one healthy at %d/s", subscriptions,
		subscriptions*each, healthyRate)
	b.log("N11: healthy p50 %v, p99 %v, longest %v", l.P50, l.P99, l.Max)
	b.table.add(figure{"N11", work, "healthy p99", ms(l.P99), " ms", 50, atMost})
	b.table.add(figure{"N11", work, "goroutines", float64(p.Routines), "",
		3*dispatcher.DefaultConcurrency + 100, atMost})
	b.table.add(figure{"N11", work, "open files", float64(p.Files), "",
		2*dispatcher.DefaultConcurrency + 50, atMost})
	return nil
}

// closedPort returns an address that refuses connections.
func closedPort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
