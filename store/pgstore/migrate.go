package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrSchema says that the database's schema is not the one that this version of the store works
// with, or that there is none: Migrate brings it up to date. Every method returns it, and Migrate
// when the schema is newer than it knows.
var ErrSchema = errors.New("pgstore: the schema is not up to date")

// Migrate creates the schema, or brings it up to date from any released version, in one
// transaction. Any number of replicas may call it at the same time: one does it and the others
// wait. It is safe to call again.
//
// It returns an error when the server has fsync or synchronous_commit off, unless Options.Unsafe,
// and ErrSchema when the schema was made by a newer version. It takes at most ten minutes.
func (s *Store) Migrate(ctx context.Context) error {
	bounded, cancel := s.bound(ctx, 0, migrateTimeout)
	defer cancel()
	if err := s.whyEnded(bounded, s.migrate(bounded)); err != nil {
		return fmt.Errorf("pgstore: migrate: %w", err)
	}
	return nil
}

// migrateTimeout bounds a migration, with the wait for the one of another replica.
const migrateTimeout = 10 * time.Minute

// migrateSettings are those of its transaction: what the database has set for statements does not
// end it, and a host that is cut off in the middle holds up the others for seconds only.
const migrateSettings = plainSettings + `, set_config('statement_timeout', '10min', true), ` +
	`set_config('lock_timeout', '10min', true), ` +
	`CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN set_config('transaction_timeout', '0', true) END`

func (s *Store) migrate(ctx context.Context) error {
	if err := s.checkDurable(ctx, s.pool); err != nil {
		return err
	}
	steps, err := migrations()
	if err != nil {
		return err
	}
	schema := pgx.Identifier{s.o.Schema}.Sanitize()
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}
	return pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, migrateSettings); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", s.lockKey("migrate")); err != nil {
			return err
		}
		version, err := s.version(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(steps) {
			return fmt.Errorf("%w: it has version %d, this library knows %d; update the library", ErrSchema, version, len(steps))
		}
		if version == 0 {
			first := "CREATE SCHEMA IF NOT EXISTS " + schema + "; CREATE TABLE " + schema + `.migrations (
				version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT statement_timestamp())`
			if _, err := tx.Exec(ctx, first, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		for i := version; i < len(steps); i++ {
			text := strings.ReplaceAll(steps[i], schemaInFiles, schema+".")
			if _, err := tx.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
				return fmt.Errorf("version %d: %w", i+1, err)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO "+schema+".migrations (version) VALUES ($1)", i+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// migrations returns the steps, the first makes version 1.
func migrations() ([]string, error) {
	files, err := migrationFiles.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	steps := make([]string, len(files))
	for i, f := range files { // sorted by name
		text, err := migrationFiles.ReadFile("migrations/" + f.Name())
		if err != nil {
			return nil, err
		}
		steps[i] = string(text)
	}
	return steps, nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version returns the version of the schema, 0 when there is none.
func (s *Store) version(ctx context.Context, q querier) (version int, err error) {
	schema := pgx.Identifier{s.o.Schema}.Sanitize()
	var there bool
	if err := q.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", schema+".migrations").Scan(&there); err != nil || !there {
		return 0, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+schema+".migrations").Scan(&version)
	return version, err
}

// check finds out whether the store can work on the database.
func (s *Store) check(ctx context.Context, q querier) error {
	if err := s.checkDurable(ctx, q); err != nil {
		return err
	}
	steps, err := migrations()
	if err != nil {
		return err
	}
	version, err := s.version(ctx, q)
	if err == nil && version != len(steps) {
		err = fmt.Errorf("%w: it has version %d, this library works with %d; call Migrate", ErrSchema, version, len(steps))
	}
	return err
}
