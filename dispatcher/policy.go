package dispatcher

import (
	"errors"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/backoff"
	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/notify"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// Policy is how the deliveries of one subscription are attempted; see Options.Policy. The zero
// value of each field means what the Options say.
type Policy struct {
	// Timeout bounds one attempt, Options.MaxTimeout at most.
	Timeout time.Duration

	// Backoff is when a failed delivery is tried again, and how often. Each of its fields that is
	// zero is that of Options.Backoff.
	Backoff Backoff

	// Success and Final are as those of Options.
	Success, Final func(status int) bool

	// Rate is how many attempts may start in a second on average, 0.1 being one in ten seconds, and
	// Burst how many at once, at least one. Deliveries beyond the rate wait in the store, in their
	// order, and take no slot of Concurrency. With pgstore the rate is that of all replicas together,
	// but a replica that takes a subscription over may start another burst. Run begins with one
	// attempt and not with a burst, so restarts don't exceed the rate. A Rate of zero, or
	// math.Inf(1), is no limit.
	Rate  float64
	Burst int

	// PerSubscription is how many attempts run at once: fewer or more than Options.PerSubscription,
	// Options.Concurrency at most. It can take a minute until more are started.
	PerSubscription int

	// Method is POST, PUT or PATCH. If empty, POST.
	Method string

	// ContentType is the Content-Type of deliveries, for a body that Options.Transform makes. A change
	// applies to deliveries that have not been sent yet. If empty, application/json.
	ContentType string
}

// OwnerBounds say how far the owner of a subscription may set its policy; see Options.OwnerMay.
type OwnerBounds struct {
	Timeout time.Duration // the longest Subscription.Timeout; if zero, none can be set
	Rate    float64       // the highest Subscription.Rate; if zero, none can be set
}

// PolicyOf returns the policy of a subscription with all defaults set: that of Options.Policy, with
// what its owner has set within Options.OwnerMay. The error says that Options.Policy has panicked,
// or which field is out of its bounds.
func (d *Dispatcher) PolicyOf(sub store.Subscription) (Policy, error) {
	return d.policy.of(sub)
}

// OwnerMay returns Options.OwnerMay.
func (d *Dispatcher) OwnerMay() OwnerBounds { return d.o.OwnerMay }

// policy returns what a policy of the host comes to for a subscription.
func (o *Options) policy(p Policy, sub *store.Subscription) (Policy, error) {
	err := check.Policy(check.PolicyValues{
		Timeout: p.Timeout, MaxTimeout: o.MaxTimeout, Rate: p.Rate, Burst: p.Burst,
		PerSubscription: p.PerSubscription, Concurrency: o.Concurrency,
		Method: p.Method, ContentType: p.ContentType,
	})
	// What is stored may be from a time when the owner was allowed more.
	asked := check.OwnerBounds(o.OwnerMay).Asked(sub, o.Verify.setsRate())
	p.Timeout = check.Lesser(p.Timeout, asked.Timeout, o.Timeout)
	p.Rate = check.Lesser(p.Rate, asked.Rate, 0)
	p.Backoff = Backoff(backoff.Policy(p.Backoff).Or(backoff.Policy(o.Backoff)))
	p.Success = check.Either(p.Success, o.Success)
	p.Final = check.Either(p.Final, o.Final)
	setDefault(&p.Burst, 1)
	setDefault(&p.PerSubscription, o.PerSubscription)
	setDefault(&p.Method, check.DefaultMethod)
	setDefault(&p.ContentType, check.DefaultContentType)
	return p, errors.Join(err, backoff.Policy(p.Backoff).Validate("Policy"))
}

// usualPolicy returns that of a subscription that is like most.
func (o *Options) usualPolicy() *engine.Policy {
	p, _ := o.policy(Policy{}, &store.Subscription{}) // the options are valid
	return p.engine()
}

// engine returns a policy as the engine takes it.
func (p *Policy) engine() *engine.Policy {
	return &engine.Policy{
		Send: send.Policy{
			Timeout: p.Timeout, Method: p.Method, ContentType: p.ContentType,
			Success: p.Success, Final: p.Final,
		},
		MaxAttempts:     p.Backoff.MaxAttempts,
		RetryDelay:      backoff.Policy(p.Backoff).Delay,
		Rate:            p.Rate,
		Burst:           p.Burst,
		PerSubscription: p.PerSubscription,
	}
}

// policies asks the host for policies. It is safe for concurrent use.
type policies struct {
	o     *Options
	queue *notify.Queue
}

// of returns the policy of a subscription; see PolicyOf.
func (ps policies) of(sub store.Subscription) (p Policy, err error) {
	if ps.o.Policy != nil {
		var ok bool
		if p, ok = notify.Ask(ps.queue, "Options.Policy", func() Policy {
			return ps.o.Policy(sub.Clone())
		}); !ok {
			return Policy{}, errors.New("dispatcher: Options.Policy panicked; see the log")
		}
	}
	return ps.o.policy(p, &sub)
}

// engine returns the policy of a subscription as the engine takes it.
func (ps policies) engine(sub store.Subscription) (*engine.Policy, error) {
	p, err := ps.of(sub)
	if err != nil {
		return nil, err
	}
	return p.engine(), nil
}

// send returns the policy of what is no attempt of the engine.
func (ps policies) send(sub store.Subscription) (*send.Policy, error) {
	p, err := ps.engine(sub)
	if err != nil {
		return nil, err
	}
	return &p.Send, nil
}
