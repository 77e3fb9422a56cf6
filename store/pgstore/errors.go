package pgstore

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/outhook/outhook/events"
)

// The SQLSTATEs that mean something here.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	invalidText          = "22021" // what PostgreSQL's text cannot hold: the character NUL
	invalidStatementName = "26000"
	lockNotAvailable     = "55P03" // lock_timeout
	queryCanceled        = "57014" // statement_timeout
	featureNotSupported  = "0A000" // of a prepared statement: its result has other columns now
)

// state returns the SQLSTATE of an error; "" when it has none.
func state(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// transient reports whether an error says that the same transaction may well succeed now.
func transient(err error) bool {
	switch state(err) {
	case uniqueViolation, serializationFailure, deadlockDetected, invalidStatementName:
		return true
	}
	return pgconn.SafeToRetry(err)
}

// told turns an error that says that the input is bad into one that the caller can tell.
func told(field string, err error) error {
	if state(err) == invalidText {
		return &events.InvalidError{Field: field, Reason: "has the character NUL or invalid UTF-8, which PostgreSQL cannot keep; remove it"}
	}
	return err
}
