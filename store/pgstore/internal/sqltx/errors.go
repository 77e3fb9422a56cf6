package sqltx

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// The SQLSTATEs that callers look at.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	invalidStatementName = "26000"
	readOnlyTransaction  = "25006"
	featureNotSupported  = "0A000" // see isUnusable

	DeadlockDetected = "40P01"
	InvalidText      = "22021" // what PostgreSQL's text cannot hold: the character NUL
	LockNotAvailable = "55P03" // lock_timeout
	QueryCanceled    = "57014" // statement_timeout
)

// notBegun is why a transaction has not begun: no connection was to be had.
type notBegun struct{ error }

func (e notBegun) Unwrap() error { return e.error }

// Unknown reports whether a transaction that has failed with an error may have committed all the
// same: the connection broke, or the time was up, before the server had said how it ended.
func Unknown(err error) bool {
	return err != nil && State(err) == "" && !errors.As(err, new(notBegun)) &&
		!pgconn.SafeToRetry(err)
}

// ErrSlow is the cause of the end of a context if the server has not answered in time.
var ErrSlow = fmt.Errorf("the server has not answered in time: %w", context.DeadlineExceeded)

// State returns the SQLSTATE of an error. It is empty if the server has not reported one: see
// [Unknown].
func State(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Transient reports whether the same transaction may succeed if it is tried again at once.
func Transient(err error) bool {
	switch State(err) {
	case uniqueViolation, serializationFailure, DeadlockDetected, invalidStatementName:
		return true
	}
	return pgconn.SafeToRetry(err)
}

// Tries is how often a transaction is tried that others get in the way of.
const Tries = 5

// Retry runs a transaction again while its error is transient, [Tries] times at most.
func Retry(transaction func() error) (err error) {
	for range Tries {
		if err = transaction(); err == nil || !Transient(err) {
			return err
		}
	}
	return err
}

// isUnusable reports whether a transaction has failed for its connection's sake, and another one
// may be better:
//
//   - A prepared statement is gone, or its result has other columns: somebody has sent DISCARD ALL,
//     or another version of the host has changed a table.
//   - The server is a standby. It says that to BEGIN READ WRITE, by featureNotSupported, and to
//     what writes. A new connection may go to the primary, as the URL or the network has it.
func isUnusable(err error) bool {
	switch State(err) {
	case invalidStatementName, featureNotSupported, readOnlyTransaction:
		return true
	}
	return false
}
