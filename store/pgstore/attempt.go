package pgstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// A delivery's log has its attempts one after another, oldest first: when it began in seconds since
// the year 1 and nanoseconds, how long it took in nanoseconds, its status, and its error with the
// length in front. Numbers are varints. What endpoints answered is kept apart, as that alone is
// erased: for each attempt that has an answer its number, and the answer with its length.

// year1 is the zero time in seconds since 1970.
var year1 = time.Time{}.Unix()

// appendAttempt appends an attempt to a log.
func appendAttempt(log []byte, a *store.Attempt) []byte {
	wrong := plain(a.Error)
	log = binary.AppendUvarint(log, uint64(a.At.Unix()-year1))
	log = binary.AppendUvarint(log, uint64(a.At.Nanosecond()))
	log = binary.AppendUvarint(log, uint64(a.Duration))
	log = binary.AppendUvarint(log, uint64(a.Status))
	log = binary.AppendUvarint(log, uint64(len(wrong)))
	return append(log, wrong...)
}

// appendAnswer appends the answer to an attempt, if there is one.
func appendAnswer(answers []byte, number int, answer []byte) []byte {
	if answer == nil {
		return answers
	}
	answers = binary.AppendUvarint(answers, uint64(number))
	answers = binary.AppendUvarint(answers, uint64(len(answer)))
	return append(answers, answer...)
}

// cursorOf reads what was appended.
type bytesReader struct {
	b   []byte
	bad bool
}

func (r *bytesReader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *bytesReader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// parseLog returns the attempts of a log, with what was answered.
func parseLog(log, answers []byte) ([]store.Attempt, error) {
	var attempts []store.Attempt
	for r := (bytesReader{b: log}); len(r.b) > 0; {
		sec, nano := r.number(), r.number()
		a := store.Attempt{
			Number:   len(attempts) + 1,
			At:       time.Unix(int64(sec)+year1, int64(nano%1e9)).UTC(),
			Duration: time.Duration(r.number()),
			Status:   int(r.number()),
			Error:    string(r.bytes()),
		}
		if r.bad {
			return nil, fmt.Errorf("%w: attempt %d", store.ErrCorrupt, a.Number)
		}
		attempts = append(attempts, a)
	}
	for r := (bytesReader{b: answers}); len(r.b) > 0; {
		n, answer := r.number(), r.bytes()
		if r.bad || n < 1 || n > uint64(len(attempts)) {
			return nil, fmt.Errorf("%w: the answer to attempt %d", store.ErrCorrupt, n)
		}
		attempts[n-1].Response = answer
	}
	return attempts, nil
}

// Attempts implements [store.History].
func (s *Store) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	attempts, err := s.attempts(ctx, subscriptionID, eventID)
	if err != nil {
		return nil, fmt.Errorf("pgstore: attempts: %w", err)
	}
	return attempts, nil
}

func (s *Store) attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	var log, answers []byte
	err := s.readRow(ctx, s.sql.Attempts, subscriptionID, eventID)(&log, &answers)
	switch {
	case errors.Is(err, pgx.ErrNoRows), state(err) == invalidText:
		return nil, store.ErrNotFound
	case err != nil:
		return nil, err
	}
	return parseLog(log, answers)
}
