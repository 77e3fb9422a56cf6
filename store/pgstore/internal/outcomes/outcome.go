package outcomes

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
)

// outcome is an outcome that is to be recorded. It shares no memory with the caller's.
//
// A caller whose context ends returns while its outcomes are under way, and may then use its
// buffers for something else.
type outcome struct {
	store.Lease
	state     store.State
	health    store.Outcome // what health depends on: without Response, Detail and body
	before    *store.Health // of a simple one
	retryIn   int64         // microseconds
	status    int16
	err       string
	log       []byte // the attempt
	answer    record.Answer
	body      []byte
	bodyState int16
	attempt   store.Attempt // without its Response and Detail

	lease    *memory.Lease // sealed; nil if the token is void
	share    int32         // of the lease
	fence    int64         // of the share
	simple   bool
	recorded bool
}

// newOutcome replaces what PostgreSQL's text can't hold: an outcome must not fail for what an
// endpoint says.
func newOutcome(o *store.Outcome) *outcome {
	own := &outcome{
		Lease:   o.Lease,
		state:   o.State,
		err:     record.Plain(o.Attempt.Error),
		attempt: o.Attempt,
	}
	own.SubscriptionID, own.EventID = record.Plain(o.SubscriptionID), record.Plain(o.EventID)
	// The answer has a field of its own. A second copy in the attempt and in health would be kept
	// for as long as the outcome waits.
	own.attempt.Response, own.attempt.Detail = nil, nil
	own.health = *o
	own.health.Attempt, own.health.BodyOverride = own.attempt, nil
	// Canceled has no attempt: status, error and log stay as they are.
	if o.State == store.Canceled {
		return own
	}
	own.status = int16(o.Attempt.Status)
	own.log = record.AppendAttempt(nil, &o.Attempt)
	own.answer = record.AnswerOf(&o.Attempt)
	if o.State == store.Pending {
		own.retryIn = record.Micros(o.RetryIn)
	}
	if o.BodyState != store.BodyUndecided {
		own.bodyState = int16(o.BodyState)
		if o.BodyState.HasOverride() {
			own.body = append([]byte{}, o.BodyOverride...) // it may be empty, and is not NULL
		}
	}
	return own
}

// size returns how many bytes there are to write. Rows have more than that, so it is a measure and
// no bound.
func (o *outcome) size() int { return len(o.log) + o.answer.Size() + len(o.body) }
