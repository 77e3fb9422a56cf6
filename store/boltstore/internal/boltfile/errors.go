package boltfile

import (
	"errors"
	"fmt"

	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrClosed is returned for a file, or a host's database, that has been closed.
	ErrClosed = errors.New("boltfile: the file is closed")

	// ErrLocked is returned by Open if the file is in use, and by Share if the name is.
	ErrLocked = errors.New("boltfile: the file is in use")
)

// A CorruptError says that a file is damaged, or is no bbolt file.
type CorruptError struct {
	Reason error // what is wrong, for people; never nil
}

func (e *CorruptError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *CorruptError) Unwrap() error { return e.Reason }

// corruptf returns a CorruptError.
func corruptf(format string, args ...any) error {
	return &CorruptError{fmt.Errorf(format, args...)}
}

// translate replaces the errors of bbolt that have a name here.
func translate(err error) error {
	if err == nil {
		return nil
	}
	switch corrupt := (*CorruptError)(nil); {
	case errors.As(err, &corrupt): // by a Guard inside this one, or by what it ran
		return err
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	case errors.Is(err, bolterrors.ErrTimeout):
		return ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return &CorruptError{err}
	}
	return err
}
