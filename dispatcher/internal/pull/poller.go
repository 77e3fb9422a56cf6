package pull

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Request asks for deliveries of a subscription.
type Request struct {
	SubscriptionID string
	Cursor         string
	Max            int           // deliveries at most; if zero, DefaultItems
	Wait           time.Duration // for something to come
}

// validate returns an *events.InvalidError for what is out of its bounds.
func (q *Request) validate() error {
	if q.Max < 1 || q.Max > MaxItems {
		return &events.InvalidError{Field: "max",
			Reason: fmt.Sprintf("is %d; give 1 to %d", q.Max, MaxItems)}
	}
	if q.Wait < 0 || q.Wait > MaxWait {
		return &events.InvalidError{Field: "wait",
			Reason: fmt.Sprintf("is %v; give at most %v, or 0 to answer at once", q.Wait, MaxWait)}
	}
	return nil
}

// Poller answers polls. All fields must be set. It is safe for concurrent use.
type Poller struct {
	Reader *Reader
	Open   *Open

	// Subscription returns a subscription by its ID in any spelling.
	Subscription func(ctx context.Context, id string) (store.Subscription, error)

	// Refuse returns the error for a tenant that has as many polls open as it may.
	Refuse func(tenant string) error

	// Recorded is told of what was acknowledged, which may be nothing.
	Recorded func([]Recorded)
}

// Poll records what the cursor of a request names as delivered, and reads what is pending.
func (p *Poller) Poll(ctx context.Context, q Request) (Batch, error) {
	if q.Max == 0 {
		q.Max = DefaultItems
	}
	if err := q.validate(); err != nil {
		return Batch{}, err
	}
	sub, err := p.Subscription(ctx, q.SubscriptionID)
	switch {
	case err != nil:
		return Batch{}, err
	case sub.URL != "":
		return Batch{}, &events.InvalidError{Field: "id",
			Reason: "names a webhook with a url, to which deliveries are posted; poll one without"}
	case sub.SealedWith != "":
		return Batch{}, send.SealedError(&sub)
	}
	wake, leave := p.Open.Enter(sub.Tenant)
	defer leave()
	if wake == nil {
		return Batch{}, p.Refuse(sub.Tenant)
	}
	read, err := p.Reader.Acknowledge(ctx, &sub, q.Cursor)
	if err != nil {
		return Batch{}, fmt.Errorf("dispatcher: poll: %w", err)
	}
	p.Recorded(read)
	return p.Reader.Wait(ctx, sub.ID, q.Max, q.Wait, wake)
}
