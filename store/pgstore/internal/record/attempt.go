package record

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// A delivery's log has its attempts one after another, oldest first. Each is the time when it began
// (seconds since the year 1, and nanoseconds), its duration in nanoseconds, its status, and its
// error after the length of that. Numbers are varints.
//
// Answers of endpoints are in a column of their own, since erasing an event removes them and keeps
// the log. Each is the number of its attempt, its length and its bytes.

// year1 is the zero time in seconds since 1970.
var year1 = time.Time{}.Unix()

// AppendAttempt appends an attempt to a log.
func AppendAttempt(log []byte, a *store.Attempt) []byte {
	wrong := Plain(a.Error)
	log = binary.AppendUvarint(log, uint64(a.At.Unix()-year1))
	log = binary.AppendUvarint(log, uint64(a.At.Nanosecond()))
	log = binary.AppendUvarint(log, uint64(a.Duration))
	log = binary.AppendUvarint(log, uint64(a.Status))
	log = binary.AppendUvarint(log, uint64(len(wrong)))
	return append(log, wrong...)
}

// AppendAnswer appends the answer to an attempt, if there is one.
func AppendAnswer(answers []byte, number int, answer []byte) []byte {
	if answer == nil {
		return answers
	}
	answers = binary.AppendUvarint(answers, uint64(number))
	answers = binary.AppendUvarint(answers, uint64(len(answer)))
	return append(answers, answer...)
}

// reader reads what was appended. At damaged bytes it sets bad and is at its end.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) bytes() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// History is what is recorded of a delivery's attempts.
type History struct{ Log, Answers []byte }

// NearlyFull is from how many attempts on a delivery may have too many once outcomes are recorded:
// at most two outcomes of a delivery count at once, a present one and a late success.
const NearlyFull = store.MaxAttempts - 2

// Newest returns what is kept of a delivery that has had so many attempts: the newest,
// store.MaxAttempts at most.
func Newest(before, added *History, attempts int) (kept History) {
	kept.Log = slices.Concat(before.Log, added.Log)
	var starts []int
	for r := (reader{b: kept.Log}); len(r.b) > 0 && !r.bad; {
		starts = append(starts, len(kept.Log)-len(r.b))
		r.attempt()
	}
	if n := len(starts) - store.MaxAttempts; n > 0 {
		kept.Log = kept.Log[starts[n]:]
	}
	for r := (reader{b: slices.Concat(before.Answers, added.Answers)}); len(r.b) > 0 && !r.bad; {
		n, answer := r.number(), r.bytes()
		if !r.bad && n > uint64(attempts-store.MaxAttempts) {
			kept.Answers = AppendAnswer(kept.Answers, int(n), append([]byte{}, answer...))
		}
	}
	return kept
}

// attempt reads an attempt of a log. It has no number.
func (r *reader) attempt() store.Attempt {
	sec, nano := r.number(), r.number()
	return store.Attempt{
		At:       time.Unix(int64(sec)+year1, int64(nano%1e9)).UTC(),
		Duration: time.Duration(r.number()),
		Status:   int(r.number()),
		Error:    string(r.bytes()),
	}
}

// ParseLog returns the attempts of a log with their answers: the newest of a delivery that has had
// so many attempts. It returns store.ErrCorrupt if the bytes are damaged.
func ParseLog(were int, log, answers []byte) ([]store.Attempt, error) {
	var attempts []store.Attempt
	for r := (reader{b: log}); len(r.b) > 0; {
		a := r.attempt()
		if r.bad {
			n := len(attempts) + 1
			return nil, fmt.Errorf("%w: attempt %d of those that are kept", store.ErrCorrupt, n)
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
	for r := (reader{b: answers}); len(r.b) > 0; {
		n, answer := r.number(), r.bytes()
		if r.bad || n <= uint64(gone) || n > uint64(were) {
			return nil, fmt.Errorf("%w: the answer to attempt %d", store.ErrCorrupt, n)
		}
		attempts[int(n)-gone-1].Response = answer
	}
	return attempts, nil
}
