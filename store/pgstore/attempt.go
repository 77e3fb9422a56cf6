package pgstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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

// history is what is recorded of a delivery's attempts.
type history struct{ log, answers []byte }

// nearlyMany is how many attempts a delivery has that may have too many when outcomes are recorded:
// of each at most two count at once, a present one and a late success.
const nearlyMany = store.MaxAttempts - 2

// newest returns what is kept of a delivery's attempts, the newest of so many as there were:
// store.MaxAttempts at most.
func newest(before, added *history, attempts int) (kept history) {
	kept.log = slices.Concat(before.log, added.log)
	var starts []int
	for r := (bytesReader{b: kept.log}); len(r.b) > 0 && !r.bad; {
		starts = append(starts, len(kept.log)-len(r.b))
		r.attempt()
	}
	if n := len(starts) - store.MaxAttempts; n > 0 {
		kept.log = kept.log[starts[n]:]
	}
	for r := (bytesReader{b: slices.Concat(before.answers, added.answers)}); len(r.b) > 0 && !r.bad; {
		n, answer := r.number(), r.bytes()
		if !r.bad && n > uint64(attempts-store.MaxAttempts) {
			kept.answers = appendAnswer(kept.answers, int(n), append([]byte{}, answer...))
		}
	}
	return kept
}

// attempt reads an attempt of a log. It has no number.
func (r *bytesReader) attempt() store.Attempt {
	sec, nano := r.number(), r.number()
	return store.Attempt{
		At:       time.Unix(int64(sec)+year1, int64(nano%1e9)).UTC(),
		Duration: time.Duration(r.number()),
		Status:   int(r.number()),
		Error:    string(r.bytes()),
	}
}

// parseLog returns the attempts of a log, with what was answered: the newest of so many as there
// were.
func parseLog(were int, log, answers []byte) ([]store.Attempt, error) {
	var attempts []store.Attempt
	for r := (bytesReader{b: log}); len(r.b) > 0; {
		a := r.attempt()
		if r.bad {
			return nil, fmt.Errorf("%w: attempt %d of those that are kept", store.ErrCorrupt, len(attempts)+1)
		}
		attempts = append(attempts, a)
	}
	gone := were - len(attempts)
	if gone < 0 {
		return nil, fmt.Errorf("%w: %d attempts are kept, of %d", store.ErrCorrupt, len(attempts), were)
	}
	for i := range attempts {
		attempts[i].Number = gone + i + 1
	}
	for r := (bytesReader{b: answers}); len(r.b) > 0; {
		n, answer := r.number(), r.bytes()
		if r.bad || n <= uint64(gone) || n > uint64(were) {
			return nil, fmt.Errorf("%w: the answer to attempt %d", store.ErrCorrupt, n)
		}
		attempts[int(n)-gone-1].Response = answer
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
	var were int
	var log, answers []byte
	err := s.readRow(ctx, s.sql.Attempts, subscriptionID, eventID)(&were, &log, &answers)
	switch {
	case errors.Is(err, pgx.ErrNoRows), state(err) == invalidText:
		return nil, store.ErrNotFound
	case err != nil:
		return nil, err
	}
	return parseLog(were, log, answers)
}
