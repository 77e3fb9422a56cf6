package record

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/detail"
)

// A delivery's log has its attempts one after another, oldest first. Each is the time when it began
// (seconds since the year 1, and nanoseconds), its duration in nanoseconds, its status, and its
// error after the length of that. Numbers are varints.
//
// Answers of endpoints and details of attempts are in a column of their own, since erasing an event
// removes them and keeps the log. Each is the number of its attempt, its length and its bytes. That
// of a detail is detailNumber more.

// year1 is the zero time in seconds since 1970. Varints without a sign can't hold what is below 0,
// and the zero time must be kept.
var year1 = time.Time{}.Unix()

// AppendAttempt appends an attempt to a log. It has neither the number, which is its place in the
// log, nor the answer.
func AppendAttempt(log []byte, a *store.Attempt) []byte {
	// The log is bytes and could hold anything, but last_error has the same text and can't.
	wrong := Plain(a.Error)
	log = binary.AppendUvarint(log, uint64(a.At.Unix()-year1))
	log = binary.AppendUvarint(log, uint64(a.At.Nanosecond()))
	log = binary.AppendUvarint(log, uint64(a.Duration))
	log = binary.AppendUvarint(log, uint64(a.Status))
	log = binary.AppendUvarint(log, uint64(len(wrong)))
	return append(log, wrong...)
}

// detailNumber is more than the number of any attempt, which is of 32 bits.
const detailNumber = 1 << 32

// Answer is what is kept of an attempt until its event is erased.
type Answer struct {
	Response []byte // how the answer's body began; nil if there was none
	Detail   []byte // as package detail has encoded it; nil if there is none
}

// AnswerOf returns what is kept of an attempt. It shares no memory with it.
func AnswerOf(a *store.Attempt) Answer {
	return Answer{Response: slices.Clone(a.Response), Detail: detail.Append(nil, a.Detail)}
}

// Size returns how many bytes there are.
func (a *Answer) Size() int { return len(a.Response) + len(a.Detail) }

// AppendAnswer appends the answer to an attempt, if there is one. A nil Response says that there
// was none, so an empty one takes its two numbers.
func AppendAnswer(answers []byte, number int, a Answer) []byte {
	if a.Response != nil {
		answers = appendNumbered(answers, uint64(number), a.Response)
	}
	if len(a.Detail) > 0 {
		answers = appendNumbered(answers, detailNumber+uint64(number), a.Detail)
	}
	return answers
}

func appendNumbered(answers []byte, number uint64, b []byte) []byte {
	answers = binary.AppendUvarint(answers, number)
	answers = binary.AppendUvarint(answers, uint64(len(b)))
	return append(answers, b...)
}

// reader reads what was appended. At damaged bytes it sets bad and is at its end. So its users need
// not look after each number; they look at bad when they are through.
type reader struct {
	b   []byte
	bad bool
}

// number reads a varint. size is below 1 if there is none, or if it does not fit.
func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return n
}

// bytes reads a length and as many bytes, which it does not copy.
func (r *reader) bytes() []byte {
	n := r.number()
	// Compared before it is used: a damaged length may be any number.
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// History is what is recorded of a delivery's attempts. Either is nil if it was not read, or has
// nothing.
type History struct{ Log, Answers []byte }

// NearlyFull is from how many attempts on a delivery may have too many details once outcomes are
// recorded: at most two outcomes of a delivery count at once, a present one and a late success. The
// statement that reads what outcomes are about returns no log below that.
const NearlyFull = store.MaxDetails - 2

// Newest returns what is kept of a delivery that has had so many attempts: the newest,
// store.MaxAttempts at most, and the details of those that store.KeepsDetail names. It works on
// bytes, as most attempts stay as they are. Damaged ones it leaves for ParseLog to report.
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
	// Answers of attempts that are dropped go too. Each has its number, since not every attempt has
	// one.
	for r := (reader{b: slices.Concat(before.Answers, added.Answers)}); len(r.b) > 0 && !r.bad; {
		n, b := r.number(), r.bytes()
		number := int(n % detailNumber)
		drops := number <= attempts-store.MaxAttempts ||
			n >= detailNumber && !store.KeepsDetail(number, attempts)
		if !r.bad && !drops {
			kept.Answers = appendNumbered(kept.Answers, n, b)
		}
	}
	return kept
}

// attempt reads an attempt of a log. It has no number.
func (r *reader) attempt() store.Attempt {
	sec, nano := r.number(), r.number()
	return store.Attempt{
		// A damaged number of nanoseconds must not move the seconds.
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
	// The newest are kept, so numbers are counted from the end.
	gone := were - len(attempts)
	if gone < 0 {
		return nil, fmt.Errorf("%w: %d attempts are kept, of %d", store.ErrCorrupt, len(attempts), were)
	}
	// Only now: how many there are is known at the end of the log.
	for i := range attempts {
		attempts[i].Number = gone + i + 1
	}
	for r := (reader{b: answers}); len(r.b) > 0; {
		number, b := r.number(), r.bytes()
		n := number % detailNumber
		// An answer whose attempt was dropped should have been dropped with it (see Newest).
		if r.bad || n <= uint64(gone) || n > uint64(were) || number > 2*detailNumber {
			return nil, fmt.Errorf("%w: the answer to attempt %d", store.ErrCorrupt, n)
		}
		a := &attempts[int(n)-gone-1]
		if number < detailNumber {
			a.Response = b
			continue
		}
		var err error
		if a.Detail, err = detail.Parse(b); err != nil {
			return nil, fmt.Errorf("attempt %d: %w", n, err)
		}
	}
	return attempts, nil
}
