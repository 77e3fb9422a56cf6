package pgstore_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// newGranted brings the schema up to date and returns a pool whose role has nothing in it but the
// grants that SECURITY.md asks for.
func newGranted(t *testing.T, owner *pgxpool.Pool, schema string) *pgxpool.Pool {
	t.Helper()
	if err := open(t, owner, schema).Close(); err != nil {
		t.Fatal(err)
	}
	role := grantedRole(schema)
	exec := func(ctx context.Context, sql string) {
		if _, err := owner.Exec(ctx, sql); err != nil {
			t.Error(err)
		}
	}
	exec(t.Context(), "CREATE ROLE "+role)
	exec(t.Context(), strings.NewReplacer(
		"SCHEMA outhook", "SCHEMA "+schema, "TO host;", "TO "+role+";").Replace(grants(t)))
	t.Cleanup(func() {
		exec(context.Background(), "DROP OWNED BY "+role)
		exec(context.Background(), "DROP ROLE "+role)
	})
	cfg := owner.Config()
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET ROLE "+role)
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// grantedRole returns the name of the role that newGranted makes.
func grantedRole(schema string) string { return schema + "_host" }

// grants returns the statements of SECURITY.md.
func grants(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```sql\n")
	statements, _, closed := strings.Cut(rest, "```")
	if !found || !closed || strings.Count(statements, "TO host;") != 3 {
		t.Fatal("SECURITY.md has no block of three grants to the role host")
	}
	return statements
}
