package sqltx

import "github.com/jackc/pgx/v5"

// Reader reads the rows that a statement returns.
type Reader = func(pgx.Rows) error

// onlyRow is the first of some rows as a row.
type onlyRow struct{ rows pgx.Rows }

func (r onlyRow) Scan(dest ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// RowFunc is a function as a row.
type RowFunc func(dest ...any) error

// Scan implements [pgx.Row].
func (f RowFunc) Scan(dest ...any) error { return f(dest...) }

// Collect reads rows one by one, until there are no more or add returns false.
func Collect[T any](rows pgx.Rows, read pgx.RowToFunc[T], add func(T) bool) error {
	defer rows.Close()
	for rows.Next() {
		item, err := read(rows)
		if err != nil {
			return err
		}
		if !add(item) {
			break
		}
	}
	rows.Close() // Err is complete only then
	return rows.Err()
}

// Each returns a reader of rows: it scans each into the variables, and calls f.
func Each(dest []any, f func()) Reader {
	return func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, dest, func() error { f(); return nil })
		return err
	}
}

// Into returns a reader of all rows into a slice.
func Into[T any](all *[]T, read pgx.RowToFunc[T]) Reader {
	return func(rows pgx.Rows) (err error) {
		*all, err = pgx.CollectRows(rows, read)
		return err
	}
}

// One returns a reader of the only row into variables.
func One(dest ...any) func(pgx.Row) error {
	return func(row pgx.Row) error { return row.Scan(dest...) }
}

// Any returns a reader of whether there is a row.
func Any(found *bool) Reader {
	return func(rows pgx.Rows) error {
		*found = rows.Next()
		rows.Close()
		return rows.Err()
	}
}
