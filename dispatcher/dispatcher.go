package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Dispatcher takes events and delivers them to the subscriptions that want them. All its methods may be called from any
// number of goroutines, before, during and after Run.
type Dispatcher struct {
	store   store.Store
	o       Options
	types   []string // names of o.EventTypes
	guard   *netguard.Policy
	sender  *sender
	policy  policy
	observe *notifier
	log     *slog.Logger
	gate    gate
	untidy  chan struct{} // one slot: Prune has something to do
	pings   *pings
	running atomic.Bool
	counts  counts
}

// New returns a Dispatcher that keeps everything in s. A nil o means the defaults. It delivers nothing until Run is
// called. The error says which options are wrong.
func New(s store.Store, o *Options) (*Dispatcher, error) {
	if s == nil {
		return nil, errors.New("dispatcher: New needs a store.Store, such as boltstore.Open returns")
	}
	opts := o.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	g := &netguard.Policy{Deny: opts.DenyPrefixes, Allow: opts.AllowPrefixes}
	d := &Dispatcher{
		store:   s,
		o:       opts,
		guard:   g,
		sender:  newSender(&opts, g),
		policy:  policy{backoff: opts.Backoff},
		observe: newNotifier(opts.Observer, opts.Logger),
		log:     opts.Logger,
		gate:    gate{changed: make(map[subject]uint64)},
		untidy:  make(chan struct{}, 1),
		pings:   newPings(opts.PerSubscription),
	}
	for _, t := range opts.EventTypes {
		d.types = append(d.types, t.Name)
	}
	return d, nil
}

// Publish stores events for delivery: all of them or none. When it returns nil they survive a crash or a power cut, and
// will be delivered by Run, here or in another process that shares the store.
//
// After an error other than an *events.InvalidError it is not known whether they were stored, and publishing the same
// events again is safe: an event whose ID is stored already is not stored twice. An ID that is stored with other content
// is store.ErrConflict. Events that no subscription wants are not stored.
//
// Events get their place in the order of delivery in the order given. One call with many is much cheaper than many calls.
func (d *Dispatcher) Publish(ctx context.Context, evs ...events.Event) error {
	for i := range evs {
		if err := d.checkEvent(&evs[i]); err != nil {
			return fmt.Errorf("dispatcher: publish: event %d of %d: %w", i+1, len(evs), err)
		}
	}
	if len(evs) == 0 {
		return nil
	}
	evs, err := d.enqueue(ctx, evs)
	if err != nil {
		return fmt.Errorf("dispatcher: publish: %w", err)
	}
	d.observe.published(d.observe.call, evs)
	return nil
}

// checkEvent checks what is this host's policy. What makes an event well-formed, the store checks when it builds its body.
func (d *Dispatcher) checkEvent(e *events.Event) error {
	if len(e.Payload) > d.o.MaxPayload {
		return &events.InvalidError{Field: "payload", Reason: fmt.Sprintf("has %d bytes; at most %d are allowed", len(e.Payload), d.o.MaxPayload)}
	}
	if err := d.checkOperational(e.Type); err != nil || len(d.types) == 0 {
		return err
	}
	for _, name := range d.types {
		if name == e.Type {
			return nil
		}
	}
	return &events.InvalidError{Field: "type", Reason: fmt.Sprintf("is %q, which is not published here; the types are %s", e.Type, strings.Join(d.types, ", "))}
}

// tidy has the housekeeper look after what a change left behind.
func (d *Dispatcher) tidy() {
	select {
	case d.untidy <- struct{}{}:
	default:
	}
}
