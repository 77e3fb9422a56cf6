package pictures

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/chart"
	"github.com/outhook/outhook/store"
)

var draw = flag.Bool("draw", false, "write the picture")

const deliveryFile = "../../docs/pictures/delivery.svg"

// TestLifeOfADelivery draws the life of a delivery, and compares it with the picture that the
// documents show.
func TestLifeOfADelivery(t *testing.T) {
	var got []byte
	synctest.Test(t, func(t *testing.T) { got = live(t).picture().SVG() })
	if *draw {
		if err := os.WriteFile(deliveryFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(deliveryFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what happens; draw it again with -draw, and look at it. Now it is\n%s",
			deliveryFile, got)
	}
}

// life is what was seen of a delivery.
type life struct {
	event     string
	published time.Time
	moments   []moment
}

// moment is an attempt, with what the Dispatcher says right after it.
type moment struct {
	ours     bool
	probe    bool
	others   int // how many other events were attempted at the same time with the same answer
	attempt  store.Attempt
	delivery store.Delivery // ours
	webhook  dispatcher.SubscriptionStats
	now      time.Time
}

// others is how many events come while the endpoint is down. With the failures of ours they are
// enough for the breaker to open.
const others = dispatcher.BreakerThreshold - 3

// live lets an endpoint answer in all the ways that the picture shows.
func live(t *testing.T) *life {
	d, r := dispatchertest.New(t, &dispatcher.Options{Backoff: dispatcher.Backoff{Jitter: -1}})
	hook := r.Subscribe()
	l := &life{event: publish(t, d), published: time.Now()}
	answer := func(h http.HandlerFunc) { hook.Handle(h) }
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	next := func() {
		sent := hook.Next()
		synctest.Wait() // until the outcome is recorded
		l.see(t, d, sent)
	}
	answer(status(http.StatusInternalServerError))
	next()
	answer(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	next()
	answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	next()
	answer(status(http.StatusServiceUnavailable))
	next()
	for range others {
		publish(t, d)
		next()
	}
	next() // a probe
	answer(status(http.StatusOK))
	for range others + 1 {
		next()
	}
	return l
}

func publish(t *testing.T, d *dispatcher.Dispatcher) string {
	t.Helper()
	e, err := events.New("order.created", map[string]string{"item": "tea"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

// see asks the Dispatcher about what was just sent.
func (l *life) see(t *testing.T, d *dispatcher.Dispatcher, sent dispatchertest.Delivery) {
	t.Helper()
	subs, err := d.Subscriptions(t.Context(), store.SubscriptionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	sub := subs.Items[0]
	stats, err := d.SubscriptionStats(t.Context(), sub.ID)
	if err != nil {
		t.Fatal(err)
	}
	attempts, err := d.Attempts(t.Context(), sub.ID, sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := d.Deliveries(t.Context(), store.DeliveryQuery{EventID: l.event})
	if err != nil {
		t.Fatal(err)
	}
	m := moment{
		ours: sent.ID == l.event, attempt: attempts[len(attempts)-1],
		delivery: ours.Items[0], webhook: stats, now: time.Now(),
	}
	if !m.ours {
		m.others = 1
	}
	if n := len(l.moments); n > 0 {
		last := &l.moments[n-1]
		m.probe = last.down()
		if !m.ours && !last.ours && !m.probe && !last.probe &&
			last.attempt.At.Equal(m.attempt.At) && last.attempt.Status == m.attempt.Status {
			m.others += last.others
			*last = m
			return
		}
	}
	l.moments = append(l.moments, m)
}

// down reports whether the breaker of the webhook is open.
func (m *moment) down() bool { return m.webhook.Breaker != dispatcher.BreakerClosed }

// held returns for how long the webhook is held.
func (m *moment) held() time.Duration { return max(0, m.webhook.ThrottledUntil.Sub(m.now)) }

// picture draws the life.
func (l *life) picture() chart.Sheet {
	line := chart.Timeline{
		Heading: "One event to one webhook, whose endpoint is in trouble",
		Tones: []string{chart.Good: "delivered", chart.Bad: "failed; breaker open",
			chart.Waiting: "held", chart.Strong: "waiting for a retry"},
		Moments: []chart.Moment{{Time: "0 s", Tone: chart.Strong, Text: "Publish returns: it is stored",
			Detail: "The delivery is pending, and due at once.", Then: chart.Strong}},
	}
	var at time.Duration
	counted := 0
	for i, m := range l.moments {
		switch {
		case m.probe:
			at += unspread(m.attempt.At.Sub(l.moments[i-1].attempt.At))
		case m.ours: // its time is its own: no probe has a part in it
			at = m.attempt.At.Sub(l.published)
		}
		if m.ours {
			counted = m.failures(counted)
		}
		line.Moments = append(line.Moments, m.draw(at, l.published, counted))
	}
	var words []string
	for _, m := range line.Moments {
		words = append(words, m.Time+": "+m.Text+". "+m.Detail)
	}
	return chart.Sheet{
		Title: "The life of a delivery",
		Subtitle: "A real Dispatcher in fake time, with its default options. The random share of " +
			"each wait, ± 20 %, is left out.",
		Description: strings.Join(words, " "),
		Parts:       []chart.Part{line},
		Note:        "A ring is about other events of the same webhook.",
	}
}

// unspread returns a wait for a probe without its random factor: 5 seconds, doubled some times.
func unspread(wait time.Duration) time.Duration {
	const first = 5 * time.Second
	return first << int(math.Round(math.Log2(wait.Seconds()/first.Seconds())))
}

// failures returns how many attempts of ours have counted, by the wait that follows from them: 5
// seconds after the first, and then four times as long. Where none follows it is as it was before.
func (m *moment) failures(before int) int {
	if m.delivery.State != store.Pending || m.held() > 0 {
		return before
	}
	ratio := m.retryIn().Seconds() / dispatcher.DefaultBackoffInitial.Seconds()
	return 1 + int(math.Round(math.Log(ratio)/math.Log(dispatcher.DefaultBackoffMultiplier)))
}

// retryIn returns how long it is until ours is attempted again.
func (m *moment) retryIn() time.Duration { return m.delivery.DueAt.Sub(m.now) }

// draw says what a moment was: at is its time since the event was published, without the random
// share of what came before, and counted is how many attempts of ours have failed and counted.
func (m *moment) draw(
	at time.Duration, published time.Time, counted int,
) chart.Moment {
	out := chart.Moment{At: at, Time: words(at), Tone: chart.Bad, Then: chart.Strong, Hollow: !m.ours}
	who := fmt.Sprintf("Attempt %d", m.attempt.Number)
	switch {
	case m.probe:
		who = "A probe, with another event"
	case !m.ours:
		who = fmt.Sprintf("%d other events", m.others)
	}
	answer := "no answer within " + words(m.attempt.Duration)
	if s := m.attempt.Status; s != 0 {
		answer = fmt.Sprintf("%d %s", s, http.StatusText(s))
	}
	out.Text = who + ": " + answer
	switch {
	case m.delivery.State == store.Delivered:
		out.Tone, out.Then = chart.Good, chart.Good
		out.Detail = fmt.Sprintf("Delivered: %d of its %d attempts had failed.", counted,
			dispatcher.DefaultMaxAttempts)
	case m.attempt.Status == http.StatusOK && m.probe:
		out.Tone, out.Detail = chart.Good, "The breaker closes. What waited for that goes out at once."
	case m.attempt.Status == http.StatusOK:
		out.Tone, out.Detail = chart.Good, fmt.Sprintf("Ours still waits for its own time, in %s.",
			words(m.delivery.DueAt.Sub(published)-at))
	case m.held() > 0:
		out.Tone, out.Then = chart.Waiting, chart.Waiting
		out.Detail = fmt.Sprintf("The whole webhook is held for %s, as Retry-After says. It does not "+
			"count as a failure: still %d of %d.", words(m.held()), counted, dispatcher.DefaultMaxAttempts)
	case m.down():
		out.Then = chart.Bad
		if !m.probe {
			out.Detail = fmt.Sprintf("%d failures in a row: the breaker opens. ", m.webhook.Failures)
		}
		out.Detail += fmt.Sprintf("The next probe in %s.",
			words(unspread(m.webhook.NextProbeAt.Sub(m.now))))
	default:
		out.Detail = fmt.Sprintf("Failure %d of %d. Again in %s.", counted,
			dispatcher.DefaultMaxAttempts, words(m.retryIn()))
	}
	return out
}

// words prints a duration to the second.
func words(d time.Duration) string {
	d = d.Round(time.Second)
	minutes, seconds := int(d/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case minutes == 0:
		return fmt.Sprintf("%d\u00a0s", seconds)
	case seconds == 0:
		return fmt.Sprintf("%d\u00a0min", minutes)
	}
	return fmt.Sprintf("%d\u00a0min\u00a0%d\u00a0s", minutes, seconds)
}
