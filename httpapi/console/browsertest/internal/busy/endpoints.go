package busy

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
)

// endpoint is the receiver of a webhook, and how it behaves.
type endpoint struct {
	host, name string
	types      []string // if empty, all
	behave     behaviour
}

// behaviour is what an endpoint does with a request, so long before the end of the past; after it,
// ago is negative.
type behaviour func(ago time.Duration) reply

// reply is what comes back.
type reply struct {
	status     int
	body       string
	retryAfter string
	err        error         // no answer
	hang       bool          // no answer either, until somebody gives up
	took       time.Duration // if it is one that took a time
}

// well answers most requests in about so long, and of a thousand so many with a fault.
func well(took time.Duration, faults int) behaviour {
	return func(time.Duration) reply {
		r := reply{status: http.StatusOK, body: `{"ok":true}`, took: spread(took)}
		if rand.IntN(1000) < faults {
			r.status, r.body = http.StatusInternalServerError, `{"error":"lock timeout"}`
		}
		return r
	}
}

// spread returns times as those of servers are: many a little shorter, few much longer.
func spread(took time.Duration) time.Duration {
	return time.Duration(float64(took) * math.Exp(0.6*rand.NormFloat64()))
}

// since is one behaviour until some time before the end of the past, and another from then on.
func since(from time.Duration, before, after behaviour) behaviour {
	return func(ago time.Duration) reply {
		if ago > from {
			return before(ago)
		}
		return after(ago)
	}
}

// always answers the same.
func always(r reply) behaviour {
	return func(time.Duration) reply {
		if r.took > 0 {
			r.took = spread(r.took)
		}
		return r
	}
}

// picky refuses of a hundred so many.
func picky(percent int) behaviour {
	return func(time.Duration) reply {
		r := reply{status: http.StatusOK, body: "ok", took: spread(70 * time.Millisecond)}
		if rand.IntN(100) < percent {
			r.status = http.StatusUnprocessableEntity
			r.body = `{"error":{"code":"unknown_sku","message":"SKU 70-114 is not in the catalogue"}}`
		}
		return r
	}
}

var (
	unavailable = always(reply{status: http.StatusServiceUnavailable, took: 40 * time.Millisecond,
		body: `{"error":{"code":"unavailable","message":"maintenance until 18:00","retry":true}}`})
	gone    = always(reply{status: http.StatusGone, body: "gone", took: 30 * time.Millisecond})
	hanging = always(reply{hang: true})
	tooMany = always(reply{status: http.StatusTooManyRequests, retryAfter: "3600",
		took: 9 * time.Millisecond})
	nowhere = always(reply{err: &net.DNSError{Err: "no such host", Name: "hooks", IsNotFound: true}})
)

// usual are the webhooks that a tenant has where nothing is wrong.
func usual() []endpoint {
	const ms = time.Millisecond
	return []endpoint{
		{host: "crm", name: "CRM", types: []string{"customer.*"}, behave: well(60*ms, 2)},
		{host: "erp", name: "ERP", behave: well(120*ms, 6)},
		{host: "warehouse", name: "Warehouse", types: []string{"order.created", "order.shipped"},
			behave: well(80*ms, 3)},
		{host: "billing", name: "Billing", types: []string{"invoice.*", "order.paid"},
			behave: well(90*ms, 1)},
		{host: "analytics", name: "Analytics", behave: well(300*ms, 1)},
		{host: "partner", name: "Partner API", types: []string{"order.*"}, behave: well(180*ms, 9)},
		{host: "chat", name: "Team chat", types: []string{"order.refunded", "order.created"},
			behave: well(50*ms, 0)},
		{host: "fraud", name: "Fraud check", types: []string{"order.created"}, behave: well(40*ms, 2)},
		{host: "search", name: "Search index", types: []string{"customer.*", "order.updated"},
			behave: well(25*ms, 0)},
		{host: "reports", name: "Nightly reports", types: []string{"report.ready"},
			behave: well(40*ms, 0)},
	}
}

// troubles are what is wrong, by the first part of a host: each state that a webhook can have is
// among them and their neighbours. What somebody has done to a webhook is in deeds.
var troubles = map[string]behaviour{
	"billing.acme":       since(40*time.Minute, well(90*time.Millisecond, 1), unavailable),
	"partner.acme":       since(25*time.Minute, well(180*time.Millisecond, 9), tooMany),
	"chat.acme":          since(5*time.Hour, well(50*time.Millisecond, 0), gone),
	"erp.acme":           well(120*time.Millisecond, 30),
	"partner.globex":     since(3*time.Hour, well(180*time.Millisecond, 9), nowhere),
	"warehouse.globex":   picky(9),
	"analytics.initech":  since(12*time.Minute, well(300*time.Millisecond, 1), hanging),
	"warehouse.umbrella": since(9*time.Hour, well(80*time.Millisecond, 3), gone),
	"search.umbrella":    well(1500*time.Millisecond, 30),
}

// Types is the catalogue of the Host.
func Types() []events.Type {
	var all []events.Type
	for _, t := range [][2]string{
		{"order.created", "A customer has placed an order."},
		{"order.paid", "The payment of an order has arrived."},
		{"order.shipped", "An order has left the warehouse."},
		{"order.updated", "The lines or the address of an order have changed."},
		{"order.refunded", "An order was paid back."},
		{"customer.created", "Somebody has opened an account."},
		{"customer.updated", "A customer's details have changed."},
		{"invoice.finalized", "An invoice is final and was sent."},
		{"report.ready", "A report that was asked for is ready."},
	} {
		all = append(all, events.Type{Name: t[0], Description: t[1],
			Example: []byte(`{"id":"4711","total":"19.90","currency":"EUR"}`)})
	}
	return all
}

// often says how many of a hundred events are of a type; none are of those that it does not have.
var often = map[string]int{"order.created": 30, "order.paid": 24, "order.shipped": 18,
	"customer.updated": 12, "order.updated": 7, "customer.created": 5, "invoice.finalized": 3,
	"order.refunded": 1}

// network is where the endpoints are: it answers by the first two words of a URL's host.
type network struct {
	now map[string]behaviour
	end time.Time // of the past
}

func newNetwork(end time.Time) *network {
	n := &network{now: make(map[string]behaviour), end: end}
	for _, tenant := range Tenants {
		for _, e := range usual() {
			name := e.host + "." + tenant
			n.now[name] = e.behave
			if t := troubles[name]; t != nil {
				n.now[name] = t
			}
		}
	}
	return n
}

// RoundTrip answers a request.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	reply := n.now[strings.TrimSuffix(r.URL.Host, ".example")](time.Until(n.end))
	if reply.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if err := wait(r.Context(), reply.took); err != nil {
		return nil, err
	}
	if reply.err != nil {
		return nil, reply.err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Server": {"nginx"}}
	if reply.retryAfter != "" {
		header.Set("Retry-After", reply.retryAfter)
	}
	return &http.Response{StatusCode: reply.status, Header: header, Request: r,
		Body: io.NopCloser(strings.NewReader(reply.body))}, nil
}

// wait lets a time pass, or returns why it could not.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
