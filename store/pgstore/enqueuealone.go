package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// How a wide fan-out is cut, and how many go on at once.
const (
	sliceDeliveries = 20_000 // that one statement stores, unless they are of one event
	sliceEvents     = 1000
	aloneAtOnce     = 2
)

// enqueueAlone stores events in a transaction that no other call shares and that no other waits for: in
// slices, when they are for many subscriptions.
func (s *Store) enqueueAlone(ctx context.Context, evs []newEvent) (err error) {
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case s.alone <- struct{}{}:
		defer func() { <-s.alone }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.cut.Done():
		return store.ErrClosed
	case <-timer.C:
		return errQueue
	}
	for range tries {
		if err = s.enqueueSliced(ctx, evs); err == nil {
			s.waker.wake()
			return nil
		}
		if !transient(err) {
			break
		}
	}
	if state(err) == lockNotAvailable {
		return fmt.Errorf("an open transaction has an event of the same ID; try again when it has ended: %w", err)
	}
	return told("event", err)
}

// enqueueSliced is one try. All statements are of one transaction.
func (s *Store) enqueueSliced(ctx context.Context, evs []newEvent) error {
	var first error
	err := s.write(ctx, enqueueSettings, func(b *batch) { s.queueEnqueue(b, evs, sliceDeliveries, &first) })
	var wide *tooWide
	if err != nil || !errors.As(first, &wide) {
		return errors.Join(err, first)
	}
	slices := wide.slices(evs)
	allowance := time.Duration(1+wide.cost(evs)/sliceDeliveries) * statementTimeout
	bounded, cancel := s.bound(ctx, 0, allowance)
	defer cancel()
	err = s.withConn(ctx, bounded, func(conn *pgx.Conn) error {
		var begin batch
		begin.begin(beginWrite, enqueueSettings)
		begin.Queue(wideSettings, fmt.Sprintf("%ds", int(allowance.Seconds())))
		if err := begin.run(bounded, conn); err != nil {
			return err
		}
		for _, slice := range slices {
			var b batch
			var result error
			s.queueEnqueue(&b, slice, math.MaxInt64, &result)
			if err := b.run(bounded, conn); err != nil {
				return err // the pool closes a connection that is in a transaction
			}
			if result != nil {
				return errors.Join(result, rollback(bounded, conn))
			}
		}
		var end batch
		end.commit()
		return end.run(bounded, conn)
	})
	return s.whyEnded(bounded, err)
}

// wideSettings gives the transaction more time.
const wideSettings = `SELECT set_config('statement_timeout', $1, true), ` +
	`CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN set_config('transaction_timeout', $1, true) END`

func rollback(ctx context.Context, conn *pgx.Conn) error {
	var b batch
	b.Queue("ROLLBACK")
	return b.run(ctx, conn)
}

// slices cuts the events into runs of which each goes into one statement.
func (e *tooWide) slices(evs []newEvent) (slices [][]newEvent) {
	from, sum := 0, 0
	for i := range evs {
		cost := e.cost(evs[i : i+1])
		if i > from && (sum+cost > sliceDeliveries || i-from >= sliceEvents) {
			slices = append(slices, evs[from:i])
			from, sum = i, 0
		}
		sum += cost
	}
	return append(slices, evs[from:])
}
