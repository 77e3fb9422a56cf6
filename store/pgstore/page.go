package pgstore

import (
	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/internal/page"
)

// collect reads the rows of a page, those next to its boundary first.
func collect[T any](
	rows pgx.Rows, c *page.Collector[T], one pgx.RowToFunc[T], at func(*T) page.Position,
) error {
	defer rows.Close()
	for rows.Next() {
		item, err := one(rows)
		if err != nil {
			return err
		}
		if !c.Add(at(&item), &item) {
			break
		}
	}
	rows.Close() // or else Err does not know yet
	return rows.Err()
}

// anyRow reads whether there is a row.
func anyRow(rows pgx.Rows, found *bool) error {
	*found = rows.Next()
	rows.Close()
	return rows.Err()
}
