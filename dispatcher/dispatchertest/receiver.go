package dispatchertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// patience is how long Next waits. It is far more than a delivery needs, so that a loaded machine
// fails no test; in a synctest bubble it passes at once.
const patience = 10 * time.Second

// New returns a Dispatcher on a store in memory that runs until the test ends, and the Receiver
// that gets every request it sends. o may be nil. Its Transport is replaced by the Receiver. If its
// Backoff is zero, retries follow after a millisecond; if it has no Logger, nothing is logged. The
// test fails at once if New of package dispatcher refuses the options, and at its end if Run
// returns an error.
func New(t testing.TB, o *dispatcher.Options) (*dispatcher.Dispatcher, *Receiver) {
	t.Helper()
	var opts dispatcher.Options
	if o != nil {
		opts = *o
	}
	r := &Receiver{
		t:    t,
		airy: opts.Signatures == dispatcher.SignaturesAiry,
		keys: make(map[string]signing.Secret),
		more: make(chan struct{}, 1),
	}
	opts.Transport = r
	if opts.Backoff == (dispatcher.Backoff{}) {
		opts.Backoff = dispatcher.Backoff{
			Initial:     time.Millisecond,
			Max:         time.Millisecond,
			MaxAttempts: dispatcher.DefaultMaxAttempts,
		}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	d, err := dispatcher.New(memstore.New(), &opts)
	if err != nil {
		t.Fatal(err)
	}
	r.d = d
	// Not the test's own context, which ends before its cleanups: Run must deliver up to this one.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("dispatchertest: Run: %v", err)
		}
	})
	return d, r
}

// Receiver takes the place of every endpoint. Its methods may be called from any number of
// goroutines, those that can fail the test only from the test's own.
type Receiver struct {
	t testing.TB
	d *dispatcher.Dispatcher

	airy bool // deliveries carry the Airy signature alone

	mu      sync.Mutex
	keys    map[string]signing.Secret // by URL, of the subscriptions that Subscribe made
	answers []int                     // statuses for the next requests
	all     []Delivery                // in order of arrival
	next    int                       // how many of them Next has returned
	more    chan struct{}             // one slot: all has grown
}

// Delivery is a request that arrived.
type Delivery struct {
	URL     string
	ID      string // the event's: webhook-id
	Attempt int    // webhook-attempt
	Status  int    // what the Receiver answered

	Type    string
	Time    time.Time // when the event happened, to the millisecond, UTC
	Payload json.RawMessage

	Header http.Header // of the request, with the signatures
	Body   []byte      // what is signed: Type, Time and Payload are parsed from it
}

// Subscribe makes a subscription of tenant "" to the types that match the patterns (if none, to
// all), with a URL and a key of its own, and has the signature of all it gets checked.
func (r *Receiver) Subscribe(patterns ...string) store.Subscription {
	r.t.Helper()
	key := signing.NewSecret()
	// The key is known before there is a subscription, so the first request finds it.
	r.mu.Lock()
	url := fmt.Sprintf("https://receiver.test/%d", len(r.keys)+1)
	r.keys[url] = key
	r.mu.Unlock()
	sub, err := r.d.Subscribe(
		context.Background(),
		store.Subscription{URL: url, Events: patterns, Secrets: []signing.Secret{key}},
	)
	if err != nil {
		r.t.Fatal(err)
	}
	return sub
}

// Answer makes the Receiver answer the next requests with these statuses, one each; after them, as
// before the first, it answers 200.
func (r *Receiver) Answer(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, statuses...)
}

// Next returns the next request that arrived, in order of arrival. It waits for it up to ten
// seconds; then it fails the test.
func (r *Receiver) Next() Delivery {
	r.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		r.mu.Lock()
		if r.next < len(r.all) {
			d := r.all[r.next]
			r.next++
			r.mu.Unlock()
			return d
		}
		r.mu.Unlock()
		select {
		case <-r.more:
		case <-timer.C:
			r.t.Fatalf("dispatchertest: no delivery arrived within %v", patience)
		}
	}
}

// All returns every request that has arrived so far, in order of arrival. To see that something is
// not sent, publish something that is, wait for that with Next, and look here.
func (r *Receiver) All() []Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Delivery(nil), r.all...)
}

// RoundTrip takes a request in place of the network. It implements http.RoundTripper. It is called
// by the Dispatcher's goroutines, so it marks the test as failed and does not end it.
func (r *Receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	d, err := parse(req, body)
	if err != nil { // it is recorded all the same, so that a test which waits for it goes on
		r.t.Errorf("dispatchertest: a request that is no delivery: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if key, ok := r.keys[d.URL]; ok {
		v := signing.Verifier{Keys: []signing.Secret{key}, AllowAiry: r.airy}
		if err := v.Verify(req.Header, body); err != nil {
			r.t.Errorf("dispatchertest: %s to %s does not verify: %v", d.ID, d.URL, err)
		}
	}
	d.Status = http.StatusOK
	if len(r.answers) > 0 {
		d.Status, r.answers = r.answers[0], r.answers[1:]
	}
	r.all = append(r.all, d)
	select {
	case r.more <- struct{}{}:
	default: // Next has not looked yet at what the one before said
	}
	return &http.Response{
		StatusCode: d.Status,
		Header:     http.Header{},
		Body:       io.NopCloser(bytes.NewReader(nil)),
		Request:    req,
	}, nil
}

// parse reads a request as a receiver does. After an error, the Delivery has what was read before.
func parse(req *http.Request, body []byte) (Delivery, error) {
	d := Delivery{
		URL:    req.URL.String(),
		ID:     req.Header.Get(signing.HeaderID),
		Header: req.Header.Clone(),
		Body:   body,
	}
	var err error
	if d.Attempt, err = strconv.Atoi(req.Header.Get(signing.HeaderAttempt)); err != nil {
		return d, err
	}
	var envelope struct {
		Type      string          `json:"type"`
		Timestamp int64           `json:"timestamp"`
		Payload   json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return d, err
	}
	d.Type, d.Payload = envelope.Type, envelope.Payload
	d.Time = time.UnixMilli(envelope.Timestamp).UTC()
	return d, nil
}
