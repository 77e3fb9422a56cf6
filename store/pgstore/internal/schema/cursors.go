package schema

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store/internal/page"
)

// CursorKey returns the key that seals the cursors of every replica. Migrate has made it.
func (n Name) CursorKey(ctx context.Context, q Querier) (key [page.KeySize]byte, err error) {
	var b []byte
	if err := q.QueryRow(ctx, "SELECT key FROM "+n.Table("cursor_key")).Scan(&b); err != nil {
		return key, fmt.Errorf("the key of cursors: %w", err)
	}
	if copy(key[:], b) != len(key) || len(b) != len(key) {
		return key, fmt.Errorf("the key of cursors has %d bytes; it must have %d", len(b), len(key))
	}
	return key, nil
}
