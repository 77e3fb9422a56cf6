package pgstore

import (
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/batcher"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// ErrSchema says that the database has no schema of the store, or one of another version. Migrate
// brings it up to date. Every method returns it, and Migrate if the schema is newer than it knows.
var ErrSchema = errors.New("pgstore: the schema is not up to date")

// ErrUnsafe says that the server has fsync or synchronous_commit off, so that a crash of it could
// lose events that were accepted. Open and Migrate return it and, until a check of the server has
// succeeded, every method. See Options.Unsafe.
var ErrUnsafe = errors.New("pgstore: the server is not set to keep what it accepts")

// storeError turns an error of the rooms into one of the store, and says which method it is of.
func storeError(method string, err error) error {
	var version *schema.VersionError
	var unsafe *schema.UnsafeError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, batcher.ErrClosed):
		err = store.ErrClosed
	case sqltx.State(err) == schema.NotSettled:
		err = store.ErrMoved
	case errors.As(err, &version):
		err = fmt.Errorf("%w: %w", ErrSchema, err)
	case errors.As(err, &unsafe):
		err = fmt.Errorf("%w: %w", ErrUnsafe, err)
	}
	return fmt.Errorf("pgstore: %s: %w", method, err)
}
