package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Host is what a Service needs of the dispatcher. All is needed.
type Host struct {
	Sender *send.Sender
	Event  string // the type of a challenge

	Subscription func(ctx context.Context, id string) (store.Subscription, error)

	// Allow refuses if an endpoint, at a host, may not be asked now, and RetryAfter says how long
	// such an error holds; zero if it is another error.
	Allow      func(sub *store.Subscription, host string) error
	RetryAfter func(error) time.Duration

	// Enter waits until an endpoint may be asked together with others of its tenant. TryEnter does
	// not wait; leave is nil if it may not be yet.
	Enter    func(ctx context.Context, tenant string) (leave func(), err error)
	TryEnter func(tenant string) (leave func())

	// Policy returns how deliveries of a subscription are sent, and so are requests for proof.
	Policy func(sub store.Subscription) (*send.Policy, error)

	// Update stores what an endpoint has agreed to. later says that it was asked by Run.
	Update func(
		ctx context.Context, later bool, id string, change func(*store.Subscription) error,
	) error

	Logger *slog.Logger
}

// Service asks endpoints and records what they have agreed to. It is safe for concurrent use.
type Service struct {
	Host
	o      Options
	prover *Prover
	queue  *Queue
}

// NewService returns a Service with valid options.
func NewService(o Options, h Host) *Service {
	s := &Service{Host: h, o: o, prover: NewProver(o, h.Sender, h.Event)}
	s.queue = NewQueue(s.askLater)
	return s
}

// Required reports whether endpoints must prove that they want deliveries.
func (s *Service) Required() bool { return s.o.Method != None }

// Run asks the endpoints that Soon has named, until ctx ends.
func (s *Service) Run(ctx context.Context) { s.queue.Run(ctx) }

// Soon has Run ask the endpoint of a subscription that has changed, if it must agree and that is
// new.
func (s *Service) Soon(was, is *store.Subscription) {
	if is.Status == store.Unverified && (was.Status != store.Unverified || was.URL != is.URL) {
		s.queue.Add(is.ID)
	}
}

// Verify asks the endpoint of a subscription now.
func (s *Service) Verify(ctx context.Context, id string) (store.Attempt, error) {
	sub, err := s.Subscription(ctx, id)
	if err != nil {
		return store.Attempt{}, err
	}
	if err := s.allow(&sub); err != nil {
		return store.Attempt{}, err
	}
	leave, err := s.Enter(ctx, sub.Tenant)
	if err != nil {
		return store.Attempt{}, err
	}
	defer leave()
	return s.ask(ctx, false, &sub)
}

// busyFor is how long Run leaves a subscription whose tenant has all its calls under way.
const busyFor = time.Second

// askLater asks for Run. It reports whether to ask again, or after how long to try if the endpoint
// may not be asked now. It does not wait for calls of the same tenant: those of one whose endpoints
// are slow would take all the room that Run has for others.
func (s *Service) askLater(ctx context.Context, id string) (again bool, refused time.Duration) {
	sub, err := s.Subscription(ctx, id)
	if err != nil || sub.Status != store.Unverified {
		return err != nil, 0
	}
	leave := s.TryEnter(sub.Tenant)
	if leave == nil {
		return true, busyFor
	}
	defer leave()
	if err := s.allow(&sub); err != nil {
		return true, s.RetryAfter(err)
	}
	a, err := s.ask(ctx, true, &sub)
	return err != nil || a.Error != "", 0
}

// allow refuses if the endpoint of a subscription can't be asked, or may not be now.
func (s *Service) allow(sub *store.Subscription) error {
	switch {
	case sub.SealedWith != "":
		return send.SealedError(sub)
	case !s.Required():
		return &events.InvalidError{Field: "id",
			Reason: "names a webhook that needs no proof: this host asks for none"}
	case sub.URL == "":
		return &events.InvalidError{Field: "id",
			Reason: "names a webhook without a url, so there is no endpoint to ask; it is read by poll"}
	}
	return s.Allow(sub, s.Sender.HostOf(sub.URL))
}

// ask asks an endpoint that may be asked, and stores what it has agreed to.
func (s *Service) ask(
	ctx context.Context, later bool, sub *store.Subscription,
) (store.Attempt, error) {
	policy, err := s.Policy(*sub)
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: verify: %w", err)
	}
	a, proof, err := s.prover.Ask(ctx, sub, policy)
	if err != nil {
		return store.Attempt{}, fmt.Errorf("dispatcher: verify: %w", err)
	}
	s.Logger.LogAttrs(context.Background(), slog.LevelDebug, "outhook: endpoint asked for proof",
		append(send.SubscriptionAttrs(sub), send.ResultAttrs(&a)...)...)
	if proof == nil {
		return a, ctx.Err()
	}
	return a, s.Update(ctx, later, sub.ID, proof.Apply)
}

// Granted records what an endpoint has agreed to by the address in a handshake. It returns
// store.ErrNotFound if that gives no proof: also for an ID that is none, as the call is anybody's.
// Other errors are the store's, and the call may be made again.
func (s *Service) Granted(ctx context.Context, id, key, rate string) error {
	sub, err := s.Subscription(ctx, id)
	if invalid := (*events.InvalidError)(nil); errors.As(err, &invalid) {
		return store.ErrNotFound
	} else if err != nil {
		return err
	}
	proof := s.o.Granted(&sub, key, rate, time.Now())
	if proof == nil {
		return store.ErrNotFound
	}
	return s.Update(ctx, false, sub.ID, proof.Apply)
}
