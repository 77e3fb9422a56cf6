package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	oevents "github.com/outhook/outhook/events"
)

// The tables of the floor, the least that any design writes: an event, and its outcome.
const floorTables = `
DROP TABLE IF EXISTS floor_events, floor_outcomes;
CREATE TABLE floor_events (
	seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, type text NOT NULL,
	enqueued_at timestamptz NOT NULL, body bytea NOT NULL, recipients bigint[] NOT NULL);
CREATE TABLE floor_outcomes (
	sub bigint NOT NULL, seq bigint NOT NULL, status smallint NOT NULL,
	finished_at timestamptz NOT NULL,
	log bytea NOT NULL, PRIMARY KEY (sub, seq));
CREATE INDEX ON floor_outcomes (finished_at);`

const (
	floorEvents = `INSERT INTO floor_events (id, type, enqueued_at, body, recipients)
		SELECT id, 'message.created', statement_timestamp(), body, '{1}'
		FROM unnest($1::text[], $2::bytea[]) e(id, body)
		RETURNING seq`
	floorOutcomes = `INSERT INTO floor_outcomes (sub, seq, status, finished_at, log)
		SELECT 1, seq, 200, statement_timestamp(), '\x0102030405060708090a0b0c0d0e0f10'
		FROM unnest($1::bigint[]) o(seq)`
)

// measureFloor inserts events and outcomes and does nothing else: one connection for each, so many
// to a statement.
func measureFloor(ctx context.Context, url string) error {
	pool, err := newPool(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	fmt.Println("a statement     events/s  WAL an event")
	for _, batch := range []int{1, 16, 100, 1000} {
		if _, err := pool.Exec(ctx, floorTables+"; CHECKPOINT",
			pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		n := *events / batch * batch
		before, err := walPosition(ctx, pool)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := floorRound(ctx, pool, n, batch); err != nil {
			return err
		}
		took := time.Since(start)
		after, err := walPosition(ctx, pool)
		if err != nil {
			return err
		}
		fmt.Printf("%-13d %10.0f  %8.0f B\n", batch, float64(n)/took.Seconds(),
			float64(after-before)/float64(n))
	}
	return nil
}

// walPosition is how many bytes of log the server has written.
func walPosition(ctx context.Context, pool *pgxpool.Pool) (n int64, err error) {
	err = pool.QueryRow(ctx, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&n)
	return n, err
}

func floorRound(ctx context.Context, pool *pgxpool.Pool, n, batch int) error {
	ids, bodies := make([]string, n), make([][]byte, n)
	for i := range n {
		e, err := oevents.New(oevents.TypeMessageCreated, payload)
		if err != nil {
			return err
		}
		if bodies[i], err = e.Body(); err != nil {
			return err
		}
		ids[i] = e.ID
	}
	stored := make(chan []int64, n/batch)
	failed := make(chan error, 1)
	go func() {
		defer close(stored)
		for i := 0; i < n; i += batch {
			rows, err := pool.Query(ctx, floorEvents, ids[i:i+batch], bodies[i:i+batch])
			if err != nil {
				failed <- err
				return
			}
			seqs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil {
				failed <- err
				return
			}
			stored <- seqs
		}
	}()
	for seqs := range stored {
		if _, err := pool.Exec(ctx, floorOutcomes, seqs); err != nil {
			return err
		}
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
