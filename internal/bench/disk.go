package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lap is a part of the work of disk.
type lap struct {
	publish float64       // events a second
	deliver float64       // deliveries a second
	size    float64       // MiB of the file after it
	step    time.Duration // the longest of Prune
}

// diskSubscriptions is how many each event goes to.
const diskSubscriptions = 10

// disk looks at the file of a store after heavy use. Steady laps, each pruned, must not make it
// grow. Then a backlog of five million deliveries is drained and pruned, which must not leave it
// slower. It drives the store directly.
func (b *bench) disk(ctx context.Context) (err error) {
	events, backlog := b.size(25_000, 200), b.size(500_000, 2000)
	h, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.subscribe(ctx, benchType, diskSubscriptions, b.receiver.Hook); err != nil {
		return err
	}
	var laps []lap
	for _, n := range []int{events, events, events, events, backlog} {
		l, err := h.lap(ctx, n)
		if err != nil {
			return err
		}
		b.log("disk: %d deliveries: %.0f deliveries/s, %.0f events/s, file %.0f MiB", n*diskSubscriptions,
			l.deliver, l.publish, l.size)
		laps = append(laps, l)
	}
	first, steady, drained := laps[0], laps[3], laps[4]
	work := fmt.Sprintf("4 × %d deliveries, each pruned (the store alone)", events*diskSubscriptions)
	b.table.add(figure{"disk", work, "file ÷ its size after the first", steady.size / first.size, "",
		1.5, atMost})
	b.table.note("disk: %.0f MiB after the first %d deliveries, %.0f MiB after four times as many, "+
		"%.0f MiB after the backlog; the longest step of Prune took %.1f ms.",
		first.size, events*diskSubscriptions, steady.size, drained.size,
		ms(max(steady.step, drained.step)))
	return b.drained(ctx, h, backlog, events/5)
}

// drained compares a store through which a backlog has gone to a new one, in turn.
func (b *bench) drained(ctx context.Context, h *host, backlog, events int) (err error) {
	fresh, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fresh.close()) }()
	if err := fresh.subscribe(ctx, benchType, diskSubscriptions, b.receiver.Hook); err != nil {
		return err
	}
	var deliver, publish []float64
	for range b.rounds {
		was, err := fresh.lap(ctx, events)
		if err != nil {
			return err
		}
		is, err := h.lap(ctx, events)
		if err != nil {
			return err
		}
		b.log("disk: %.0f deliveries/s of a new store's %.0f, %.0f events/s of %.0f", is.deliver,
			was.deliver, is.publish, was.publish)
		deliver = append(deliver, is.deliver/was.deliver)
		publish = append(publish, is.publish/was.publish)
	}
	open, err := h.reopen()
	if err != nil {
		return err
	}
	work := fmt.Sprintf("after a backlog of %d was drained and pruned (the store alone)",
		backlog*diskSubscriptions)
	b.table.add(figure{"N7", work, "delivery rate", median(deliver), "", 0.95, atLeast})
	b.table.add(figure{"N7", work, "publish rate", median(publish), "", 0.95, atLeast})
	b.table.add(figure{"N7", work, "open", ms(open), " ms", 400, atMost})
	return nil
}

// lap enqueues n events, delivers them, and prunes what is left.
func (h *host) lap(ctx context.Context, n int) (l lap, err error) {
	if l.publish, err = enqueueDirectly(ctx, h.store, n, 100); err != nil {
		return l, err
	}
	if l.deliver, err = deliverDirectly(ctx, h.store, n*diskSubscriptions); err != nil {
		return l, err
	}
	if l.step, err = pruneAll(ctx, h.store); err != nil {
		return l, err
	}
	l.size, err = h.fileSize()
	return l, err
}
