package dispatcher

import (
	"context"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/pull"
)

// The bounds of a poll.
const (
	MaxPoll     = pull.MaxItems     // deliveries in one answer
	DefaultPoll = pull.DefaultItems // if PollRequest.Max is zero
	MaxPollWait = pull.MaxWait

	// MaxPolls is how many polls of one tenant may be open at once, and maxAllPolls of all.
	MaxPolls    = 16
	maxAllPolls = 1024
)

// PollRequest asks for deliveries of a subscription without a URL.
type PollRequest struct {
	SubscriptionID string

	// Cursor is that of the last answer, whose deliveries are recorded as delivered by it; empty to
	// begin, or to read again what was not acknowledged.
	Cursor string

	Max  int           // deliveries at most, MaxPoll at most; if zero, DefaultPoll
	Wait time.Duration // for something to come, MaxPollWait at most; if zero, none
}

// PolledDelivery is a delivery as an attempt would have sent it, with the headers that are not
// HTTP's own. It can be sent on as it is, and verifies as long as its signature is fresh.
type PolledDelivery struct {
	EventID, EventType string
	Time               time.Time // when the event happened
	Attempt            int       // 1, or more after a redelivery
	Header             http.Header
	Body               []byte
}

// PollResult is the answer to a PollRequest.
type PollResult struct {
	Deliveries []PolledDelivery // in the order in which they were published
	Cursor     string           // for the next request; empty if there is nothing to acknowledge
	More       bool             // there is more to read at once
}

// Poll reads what is pending of a subscription that has no URL (Options.AllowPull), oldest first,
// and records what its Cursor names as delivered. A delivery is in each answer until an
// acknowledgment is recorded, so it is read at least once, and without lost answers exactly once;
// two readers of one subscription read the same. Of a subscription that is Paused or Unsubscribed
// it reads nothing.
//
// The attempt is recorded when it is acknowledged, with the status 200 and no duration;
// Observer.OnAttempt and OnDelivered are told then, by the goroutine of the call. Transform and
// Sign are asked at each poll; the Rate of the Policy and the breaker have no part in it. Run need
// not be running, and any process that shares the store can be asked.
//
// What is not to be sent yet (Event.NotBefore), or Transform or Sign fails for, stays pending, with
// what is behind it in its key, and is passed over: the search for others ends after ten seconds.
//
// An answer has 4 MiB of bodies at most, unless its first is larger. It returns an
// *events.InvalidError for a request that is out of its bounds, a Cursor that no answer had, or a
// subscription that has a URL; a *QuotaError beyond MaxPolls; store.ErrNotFound if the subscription
// does not exist; and store.ErrSealed if its headers and secrets don't open.
func (d *Dispatcher) Poll(ctx context.Context, q PollRequest) (PollResult, error) {
	batch, err := d.poller.Poll(ctx, pull.Request(q))
	out := PollResult{Cursor: batch.Cursor, More: batch.More}
	for i := range batch.Items {
		out.Deliveries = append(out.Deliveries, PolledDelivery(batch.Items[i]))
	}
	return out, err
}
