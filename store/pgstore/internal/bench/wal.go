package main

import (
	"context"
	"fmt"
)

// measureWAL publishes, claims and finishes 100 events, again and again, and says how much log that
// takes an event, by what is logged. Whole pages after a checkpoint count for themselves: how many
// there are depends on how often the server makes one.
func measureWAL(ctx context.Context, url string) error {
	const warmUp, times, batch = 50, 200, 100
	o, err := openOuthook(ctx, url)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.subscribe(ctx, "https://endpoint.example/"); err != nil {
		return err
	}
	if _, err := o.pool.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_walinspect"); err != nil {
		return fmt.Errorf("it needs PostgreSQL 15 or later with its contrib modules: %w", err)
	}
	if _, err := o.cycles(ctx, warmUp); err != nil {
		return err
	}
	var from, to string
	position := func(at *string) error {
		return o.pool.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(at)
	}
	if err := position(&from); err != nil {
		return err
	}
	if _, err := o.cycles(ctx, times); err != nil {
		return err
	}
	if err := position(&to); err != nil {
		return err
	}
	rows, err := o.pool.Query(ctx, `SELECT "resource_manager/record_type", count, record_size, fpi_size
		FROM pg_get_wal_stats($1::text::pg_lsn, $2::text::pg_lsn, true) WHERE count > 0
		ORDER BY record_size DESC`, from, to)
	if err != nil {
		return err
	}
	defer rows.Close()
	const events = times * batch
	fmt.Println("record                        an event   bytes an event   " +
		"whole pages, bytes an event")
	var total, pages int64
	for rows.Next() {
		var name string
		var count, size, fpi int64
		if err := rows.Scan(&name, &count, &size, &fpi); err != nil {
			return err
		}
		total, pages = total+size, pages+fpi
		fmt.Printf("%-28s %9.3f %16.1f %28.1f\n", name, float64(count)/events, float64(size)/events,
			float64(fpi)/events)
	}
	fmt.Printf("%-28s %9s %16.1f %28.1f\n", "all", "", float64(total)/events, float64(pages)/events)
	return rows.Err()
}
