package schema

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// MigrateTimeout bounds a migration, with the wait for the one of another replica.
const MigrateTimeout = 10 * time.Minute

// VersionError says that the schema in the database is not the one that this library works with.
type VersionError struct{ Has, Knows int }

func (e *VersionError) Error() string {
	if e.Has > e.Knows {
		return fmt.Sprintf("it has version %d, this library knows %d; update the library", e.Has, e.Knows)
	}
	return fmt.Sprintf("it has version %d, this library works with %d; call Migrate", e.Has, e.Knows)
}

// Migrate creates the schema, or brings it up to date from any version, in one transaction. It
// returns a [VersionError] if the schema is newer than this library.
//
// It is safe to call in each replica at each start: nothing is written if the version is right.
func (n Name) Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}
	return pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqltx.Migration); err != nil {
			return err
		}
		// Another replica may be at it. When it has committed, the version says so.
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", n.LockKey("migrate")); err != nil {
			return err
		}
		version, err := n.version(ctx, tx)
		if err != nil {
			return err
		}
		if version > len(steps) {
			return &VersionError{version, len(steps)}
		}
		// The table of versions is in no migration: it must be there to hold the first.
		if version == 0 {
			first := "CREATE SCHEMA IF NOT EXISTS " + n.Quoted() + "; CREATE TABLE " + n.Quoted() +
				".migrations (version integer PRIMARY KEY, " +
				"applied_at timestamptz NOT NULL DEFAULT statement_timestamp())"
			if _, err := tx.Exec(ctx, first, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		for i := version; i < len(steps); i++ {
			if err := n.step(ctx, tx, i+1, steps[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// step makes one version of the one before it.
func (n Name) step(ctx context.Context, tx pgx.Tx, version int, text string) error {
	// The simple protocol alone takes several statements at once.
	_, err := tx.Exec(ctx, n.In(text), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return fmt.Errorf("version %d: %w", version, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+n.Quoted()+".migrations (version) VALUES ($1)", version)
	return err
}

// migrations returns the steps; the first makes version 1. Their number is the version that this
// library works with.
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

// version returns the version of the schema, 0 if there is none. to_regclass returns NULL for a
// table that is not there, where a SELECT would fail the transaction.
func (n Name) version(ctx context.Context, q Querier) (version int, err error) {
	var there bool
	table := n.Quoted() + ".migrations"
	err = q.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+table).Scan(&version)
	return version, err
}

// CheckVersion returns a [VersionError] if the schema is not the one that this library works with.
// It must be the same: an older library does not know what newer tables mean.
func (n Name) CheckVersion(ctx context.Context, q Querier) error {
	steps, err := migrations()
	if err != nil {
		return err
	}
	version, err := n.version(ctx, q)
	if err == nil && version != len(steps) {
		err = &VersionError{version, len(steps)}
	}
	return err
}
