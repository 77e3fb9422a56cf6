package otelhooks

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// statsTimeout bounds the wait of a collection for the store. A collection has its own timeout, of
// 30 s by default, and the host's other instruments wait with it.
const statsTimeout = 5 * time.Second

// registerGauges reports the store's figures at each collection. They come from one call of Stats,
// so they fit together. The callback is never unregistered: a Dispatcher has no end of its own, and
// once its store is closed it reports nothing.
func (m *metrics) registerGauges(meter metric.Meter, d *dispatcher.Dispatcher) error {
	var errs []error
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		g, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit),
			metric.WithDescription(description))
		errs = append(errs, err)
		return g
	}
	subscriptions := gauge("outhook.subscriptions", "{subscription}", "Subscriptions of any status.")
	pending := gauge("outhook.deliveries.pending", "{delivery}", "Deliveries that are pending.")
	inFlight := gauge("outhook.deliveries.in_flight", "{delivery}",
		"Pending deliveries that are under way.")
	outage := gauge("outhook.outage", "{outage}",
		"1 while the host's own network seems to be down, 0 otherwise.")
	oldest, err := meter.Float64ObservableGauge("outhook.deliveries.oldest_age", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest pending delivery has been pending; 0 if none is."))
	errs = append(errs, err)
	unwanted, err := meter.Int64ObservableCounter("outhook.publish.unwanted",
		metric.WithUnit("{event}"), metric.WithDescription("Events that no subscription got."))
	errs = append(errs, err)
	_, err = meter.RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, statsTimeout)
		defer cancel()
		s, err := d.Stats(ctx)
		if errors.Is(err, store.ErrClosed) {
			return nil // a last collection as the host stops
		}
		if err != nil {
			return err
		}
		to.ObserveInt64(subscriptions, int64(s.Subscriptions))
		to.ObserveInt64(pending, int64(s.Pending))
		to.ObserveInt64(inFlight, int64(s.InFlight))
		down := int64(0)
		if !s.OutageSince.IsZero() {
			down = 1
		}
		to.ObserveInt64(outage, down)
		to.ObserveFloat64(oldest, age(s.OldestPending).Seconds())
		for attrs, n := range m.byType(s.Unwanted) {
			to.ObserveInt64(unwanted, n, metric.WithAttributeSet(attrs))
		}
		return nil
	}, subscriptions, pending, inFlight, outage, oldest, unwanted)
	return errors.Join(append(errs, err)...)
}

// byType adds up counts of event types that have the same attributes. There is one of 0 if nothing
// was counted, so that the first event is seen as a rise.
func (m *metrics) byType(counts map[string]int) map[attribute.Set]int64 {
	sums := make(map[attribute.Set]int64)
	if m.types == nil {
		sums[*attribute.EmptySet()] = 0
	}
	for name := range m.types {
		sums[attribute.NewSet(m.eventType(nil, name)...)] = 0
	}
	for name, n := range counts {
		sums[attribute.NewSet(m.eventType(nil, name)...)] += int64(n)
	}
	return sums
}

// age returns how long ago a time was, by this host's clock. It is zero if the store's clock is
// ahead, or the time is zero because nothing is pending.
func age(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(time.Since(at), 0)
}
