package dispatcher

import (
	"context"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/pull"
)

// The bounds of a poll.
const (
	MaxPoll     = pull.MaxItems     // 100 deliveries in one answer
	DefaultPoll = pull.DefaultItems // 20 deliveries, if PollRequest.Max is zero
	MaxPollWait = pull.MaxWait      // 20 s

	// MaxPolls is how many polls of one tenant may be open at once. Of all tenants together there
	// may be 1,024.
	MaxPolls = 16
)

// maxAllPolls is how many polls of all tenants may be open at once.
const maxAllPolls = 1024

// PollRequest asks for deliveries of a subscription without a URL.
type PollRequest struct {
	SubscriptionID string

	// Cursor is that of the last answer. It acknowledges that answer's deliveries: they are recorded
	// as delivered. It is empty to begin, or to read again what was not acknowledged.
	Cursor string

	Max  int           // how many deliveries to return, MaxPoll at most; if zero, DefaultPoll
	Wait time.Duration // how long to wait for the first, MaxPollWait at most; if zero, not at all
}

// PolledDelivery is a delivery as an attempt would have sent it, with all headers but those of HTTP
// itself, such as Content-Length. A relay can send it on as it is; receivers then verify it as long
// as its timestamp is within their tolerance.
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

// Poll returns the pending deliveries of a subscription that has no URL (Options.AllowPull), oldest
// first, after it has recorded as delivered those that q.Cursor acknowledges. A delivery is in
// every answer until it is acknowledged: it is read at least once, and exactly once if no answer is
// lost. Two readers of one subscription read the same deliveries. A subscription that is Paused or
// Unsubscribed has none to read.
//
// An acknowledged delivery gets an attempt in the history, with the status 200 and no duration, and
// Observer.OnAttempt and OnDelivered are called in the goroutine of the Poll. Transform and Sign
// are called at each poll; the Rate of the Policy and the breaker have no effect. Run need not be
// running, and any process that shares the store can answer.
//
// A delivery that must not be sent yet (Event.NotBefore), or for which Transform or Sign fails, is
// left out and stays pending, with the later deliveries of its key. The search for others ends
// after ten seconds.
//
// The bodies of an answer add up to 4 MiB at most, unless the first alone is larger. Poll returns
// an *events.InvalidError for a request that is out of its bounds, a Cursor that is from no answer,
// or a subscription that has a URL; a *QuotaError beyond MaxPolls; store.ErrNotFound if the
// subscription does not exist; and store.ErrSealed if its headers and secrets can't be decrypted.
func (d *Dispatcher) Poll(ctx context.Context, q PollRequest) (PollResult, error) {
	batch, err := d.poller.Poll(ctx, pull.Request(q))
	out := PollResult{Cursor: batch.Cursor, More: batch.More}
	for i := range batch.Items {
		out.Deliveries = append(out.Deliveries, PolledDelivery(batch.Items[i]))
	}
	return out, err
}
