package otelhooks

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// observer returns an Observer that counts events other than attempts, and then calls the host's.
// host may be nil, and is not changed.
func (m *metrics) observer(host *dispatcher.Observer) *dispatcher.Observer {
	var o dispatcher.Observer
	if host != nil {
		o = *host
	}
	ctx := context.Background() // Run has no caller's context
	add := func(c metric.Int64Counter, n int, attrs ...attribute.KeyValue) {
		c.Add(ctx, int64(n), metric.WithAttributes(attrs...))
	}
	o.OnPublish = before(o.OnPublish, func(evs []events.Event) {
		for _, e := range evs {
			add(m.published, 1, m.eventType(nil, e.Type)...)
		}
	})
	o.OnBreakerOpen = before(o.OnBreakerOpen,
		func(dispatcher.Info) { add(m.breaker, 1, keyBreaker.String("open")) })
	o.OnBreakerClose = before(o.OnBreakerClose,
		func(dispatcher.Info) { add(m.breaker, 1, keyBreaker.String("closed")) })
	o.OnDisabled = before(o.OnDisabled, func(store.Subscription) { add(m.disabled, 1) })
	o.OnOutageStart = before(o.OnOutageStart, func(dispatcher.Outage) { add(m.outages, 1) })
	trouble := o.OnStoreTrouble // before takes functions of one argument
	o.OnStoreTrouble = func(op string, err error) {
		add(m.trouble, 1, keyOperation.String(op))
		if trouble != nil {
			trouble(op, err)
		}
	}
	return &o
}

// before returns a function that calls ours and then the host's, which may be nil or panic: ours
// has counted by then, and the Dispatcher recovers.
func before[T any](host, ours func(T)) func(T) {
	if host == nil {
		return ours
	}
	return func(v T) {
		ours(v)
		host(v)
	}
}
