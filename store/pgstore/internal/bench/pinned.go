package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pinning is a way to keep the server from vacuuming: while a transaction is open, what is dead
// since it began stays.
type pinning string

const (
	notPinned pinning = "nothing"
	byReaders pinning = "readers" // three that overlap, each of which takes -reader
	byIdle    pinning = "idle"    // one transaction that does nothing for the whole round
)

// begin opens the transactions. They are open when it returns, and until the function that it
// returns is called.
func (p pinning) begin(ctx context.Context, pool *pgxpool.Pool) (end func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var open sync.WaitGroup
	switch p {
	case byReaders:
		const readers = 3
		for i := range readers {
			// The first ones end at different times, so that those that follow overlap.
			first := *reading * time.Duration(i+1) / readers
			err = errors.Join(err, keepOpen(ctx, pool, &open, pgx.RepeatableRead, first))
		}
	case byIdle:
		err = keepOpen(ctx, pool, &open, pgx.ReadCommitted, *seconds+time.Hour)
	}
	return func() { cancel(); open.Wait() }, err
}

// keepOpen opens a transaction, and returns. When it has been open for some time, another follows,
// and so on until ctx ends.
func keepOpen(ctx context.Context, pool *pgxpool.Pool, open *sync.WaitGroup, level pgx.TxIsoLevel,
	first time.Duration) error {
	tx, err := beginPin(ctx, pool, level)
	if err != nil {
		return err
	}
	open.Go(func() {
		for length := first; ; length = *reading {
			timer := time.NewTimer(length)
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
			timer.Stop()
			_ = tx.Rollback(context.WithoutCancel(ctx)) // it has changed nothing
			if ctx.Err() != nil {
				return
			}
			if tx, err = beginPin(ctx, pool, level); err != nil {
				fmt.Fprintln(os.Stderr, "bench: a transaction that keeps the server from vacuuming:", err)
				return
			}
		}
	})
	return nil
}

// beginPin begins a transaction that keeps what is dead from now on. It has a number of its own:
// without a snapshot, READ COMMITTED would keep nothing between two statements.
func beginPin(ctx context.Context, pool *pgxpool.Pool, level pgx.TxIsoLevel) (pgx.Tx, error) {
	tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, "SELECT pg_current_xact_id(), count(*) FROM pg_class")
	return tx, err
}
