package otelhooks_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// TestMetrics delivers to an endpoint that fails once, to one that is gone, and to one that never
// answers.
func TestMetrics(t *testing.T) {
	h := newHost(
		t,
		func(o *dispatcher.Options, _ *otelhooks.Options) { o.Backoff.MaxAttempts = 10 },
	)
	h.run(t)
	flaky, _ := endpoint(t, 500, 200)
	gone, _ := endpoint(t, 410)
	silent, _ := endpoint(t, 0)
	for _, address := range []string{flaky, gone, silent} {
		h.subscribe(t, address)
	}
	h.publish(t.Context(), t, "order.created")
	h.ended(t, 3)
	h.stop()
	h.publish(t.Context(), t, "order.created") // stays pending, for two: the third is disabled

	want := map[string]string{
		"outhook.publish.events {event}":                "=2",
		"outhook.publish.unwanted {event}":              "=0",
		"outhook.queue.duration s":                      "=3",
		"outhook.breaker.changes {change}":              "outhook.breaker.state=open =1",
		"outhook.subscriptions.disabled {subscription}": "=1",
		"outhook.subscriptions {subscription}":          "=3",
		"outhook.deliveries.pending {delivery}":         "=2",
		"outhook.deliveries.in_flight {delivery}":       "=0",
		"outhook.deliveries.oldest_age s":               "recent",
		"outhook.outage {outage}":                       "=0",
		"outhook.attempt.duration s": "error.type=connect =10; error.type=http_status " +
			"outhook.status_class=4xx =1; " +
			"error.type=http_status outhook.status_class=5xx =1; outhook.status_class=2xx =1",
		"outhook.attempts {attempt}": "error.type=connect outhook.delivery.state=dead =1; " +
			"error.type=connect outhook.delivery.state=pending =9; " +
			"error.type=http_status outhook.delivery.state=dead outhook.status_class=4xx =1; " +
			"error.type=http_status outhook.delivery.state=pending outhook.status_class=5xx =1; " +
			"outhook.delivery.state=delivered outhook.status_class=2xx =1",
	}
	got := make(map[string]string)
	for name, m := range h.collect(t) {
		if m.Description == "" {
			t.Errorf("%s: no description", name)
		}
		got[name+" "+m.Unit] = strings.Join(series(t, m), "; ")
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s:\n got %q\nwant %q", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: got it, want it not to be there", name)
		}
	}
	if text := fmt.Sprint(got); strings.Contains(text, canary) {
		t.Errorf("the canary is in the metrics: %s", text)
	}
}

// unreachable is a transport that reaches nobody.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")}
}

// An outage of the host's own network shows in a gauge and a counter.
func TestMetricsOfAnOutage(t *testing.T) {
	began := make(chan dispatcher.Outage, 1)
	h := newHost(t, func(o *dispatcher.Options, _ *otelhooks.Options) {
		o.Transport = unreachable{}
		o.Observer.OnOutageStart = func(x dispatcher.Outage) { began <- x }
	})
	for i := range 6 {
		h.subscribe(t, fmt.Sprintf("https://endpoint-%d.example/", i))
	}
	h.run(t)
	for seen := false; !seen; { // it takes some seconds of failures
		h.publish(t.Context(), t, "order.created")
		select {
		case <-began: // after it has been counted
			seen = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	metrics := h.collect(t)
	for _, name := range []string{"outhook.outage", "outhook.outages"} {
		if got := strings.Join(series(t, metrics[name]), "; "); got != "=1" {
			t.Errorf("%s is %q, want =1", name, got)
		}
	}
}

// Pings are counted by their result, and are no attempts.
func TestMetricsOfPings(t *testing.T) {
	h := newHost(t, nil)
	works, _ := endpoint(t, 200)
	gone, _ := endpoint(t, 410)
	for _, address := range []string{works, gone} {
		if _, err := h.Ping(t.Context(), h.subscribe(t, address).ID); err != nil {
			t.Fatal(err)
		}
	}
	metrics := h.collect(t)
	want := "error.type=http_status outhook.status_class=4xx =1; outhook.status_class=2xx =1"
	if got := strings.Join(series(t, metrics["outhook.pings"]), "; "); got != want {
		t.Errorf("outhook.pings is %q, want %q", got, want)
	}
	if _, ok := metrics["outhook.attempts"]; ok {
		t.Error("outhook.attempts is there, want pings not to be attempts")
	}
}

// series returns what a metric has, one text for each set of attributes: of a histogram the count,
// of a time whether it is plausible.
func series(t *testing.T, m metricdata.Metrics) []string {
	t.Helper()
	var out []string
	add := func(attrs attribute.Set, value any) {
		var words []string
		for _, a := range attrs.ToSlice() {
			words = append(words, string(a.Key)+"="+a.Value.String()+" ")
		}
		slices.Sort(words)
		out = append(out, strings.Join(words, "")+fmt.Sprint(value))
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		if !data.IsMonotonic || data.Temporality != metricdata.CumulativeTemporality {
			t.Errorf("%s: got %+v, want a counter", m.Name, data)
		}
		for _, p := range data.DataPoints {
			add(p.Attributes, fmt.Sprintf("=%d", p.Value))
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, fmt.Sprintf("=%d", p.Count))
			if longest, _ := p.Max.Value(); p.Sum < 0 || longest > 60 {
				t.Errorf("%s: got %v s in all and %v s at most, want plausible times", m.Name, p.Sum, longest)
			}
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, fmt.Sprintf("=%d", p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			value := fmt.Sprintf("=%v", p.Value)
			if p.Value > 0 && p.Value < 60 {
				value = "recent"
			}
			add(p.Attributes, value)
		}
	default:
		t.Errorf("%s: got data of type %T", m.Name, data)
	}
	slices.Sort(out)
	return out
}

func sortedWords(text string) string {
	words := strings.Fields(text)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestCardinality: more subscriptions, endpoints, events and types make no more series.
func TestCardinality(t *testing.T) {
	few, many := seriesOf(t, 5, 10), seriesOf(t, 20, 20)
	if !slices.Equal(few, many) {
		t.Errorf("series:\n got %q\nwant as with fewer subscriptions and events, %q", many, few)
	}
	if len(few) < 15 {
		t.Errorf("series: got %d, want at least 15: are these all?", len(few))
	}
}

// seriesOf runs a host with so many subscriptions, and events of as many types, and returns its
// series without their values.
func seriesOf(t *testing.T, subscriptions, published int) (all []string) {
	t.Helper()
	h := newHost(t, func(o *dispatcher.Options, _ *otelhooks.Options) { o.Backoff.MaxAttempts = 2 })
	h.run(t)
	// Each endpoint fails one event for good and takes the others: if it failed all, its breaker
	// would open, and the rest would wait for probes.
	statuses := []int{200, 302, 404, 500, 503}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte(canary+".type-0")) {
			status, err := strconv.Atoi(r.FormValue("status"))
			if err != nil {
				t.Error(err)
			}
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(server.Close)
	for i := range subscriptions {
		h.subscribe(t, fmt.Sprintf("%s/%d?status=%d", server.URL, i, statuses[i%len(statuses)]))
	}
	for i := range published {
		h.publish(t.Context(), t, fmt.Sprintf("%s.type-%d", canary, i))
	}
	h.ended(t, subscriptions*published)
	for _, m := range h.collect(t) {
		for _, s := range series(t, m) {
			attributes := s[:strings.LastIndexByte(" "+s, ' ')] // what comes after is the value
			all = append(all, m.Name+" "+attributes)
			if strings.Contains(s, canary) || strings.Contains(s, "127.0.0.1") {
				t.Errorf("%s %s: want no event type and no address", m.Name, s)
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestDeclaredEventTypes has types as an attribute only when the host has said which there are.
func TestDeclaredEventTypes(t *testing.T) {
	h := newHost(t, func(o *dispatcher.Options, _ *otelhooks.Options) {
		o.EventTypes = []events.Type{{Name: "order.created"}, {Name: "order.paid"}}
		o.OperationalEvents = true
	})
	h.run(t)
	address, _ := endpoint(t, 200)
	h.subscribe(t, address)
	h.publish(t.Context(), t, "order.created")
	h.publish(t.Context(), t, "order.paid")
	old, err := events.New("order.legacy", 1) // stored when there was another catalogue
	if err != nil {
		t.Fatal(err)
	}
	operational, err := events.From(events.WebhookDisabled{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Subscribe(t.Context(),
		store.Subscription{URL: address, Events: []string{operational.Type}}); err != nil {
		t.Fatal(err)
	}
	if err := h.store.Enqueue(t.Context(), old, operational); err != nil {
		t.Fatal(err)
	}
	h.ended(t, 4)
	got := h.collect(t)
	for name, want := range map[string]string{
		"outhook.publish.events": "outhook.event.type=order.created =1; outhook.event.type=order.paid =1",
		"outhook.queue.duration": "outhook.event.type=_OTHER =1; outhook.event.type=order.created =1; " +
			"outhook.event.type=order.paid =1; " +
			"outhook.event.type=webhook.disabled =1",
		"outhook.attempt.duration": "outhook.event.type=_OTHER outhook.status_class=2xx =1; " +
			"outhook.event.type=order.created outhook.status_class=2xx =1; " +
			"outhook.event.type=order.paid outhook.status_class=2xx =1; " +
			"outhook.event.type=webhook.disabled outhook.status_class=2xx =1",
	} {
		if got := strings.Join(series(t, got[name]), "; "); got != want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
}
