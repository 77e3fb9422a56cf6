package dispatchertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
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
	return NewOn(t, memstore.New(), o)
}

// NewOn is New on a store of the test's, such as one in the database in which the host publishes
// with PublishTx. Closing it stays the test's; Run may end by that.
func NewOn(
	t testing.TB, s store.Store, o *dispatcher.Options,
) (*dispatcher.Dispatcher, *Receiver) {
	t.Helper()
	var opts dispatcher.Options
	if o != nil {
		opts = *o
	}
	r := &Receiver{
		t:         t,
		airy:      opts.Signatures == dispatcher.SignaturesAiry,
		endpoints: make(map[string]*Endpoint),
		more:      make(chan struct{}),
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
	d, err := dispatcher.New(s, &opts)
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
		if err := <-done; err != nil && !errors.Is(err, store.ErrClosed) {
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

	mu        sync.Mutex
	endpoints map[string]*Endpoint // by URL, of those that the test has asked for
	made      int                  // how many of them Subscribe made
	answers   answers              // of all endpoints
	all       []Delivery           // in order of arrival
	next      int                  // how many of them Next has returned
	more      chan struct{}        // closed and replaced when all has grown
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

// Subscribe makes a subscription of the tenant "" to the types that match the patterns (if none, to
// all), with a URL and a key of its own, and has the signature of all it gets checked.
func (r *Receiver) Subscribe(patterns ...string) *Endpoint {
	r.t.Helper()
	return r.SubscribeFor("", patterns...)
}

// SubscribeFor is Subscribe for a tenant.
func (r *Receiver) SubscribeFor(tenant string, patterns ...string) *Endpoint {
	r.t.Helper()
	key := signing.NewSecret()
	// The key is known before there is a subscription, so the first request finds it.
	r.mu.Lock()
	r.made++
	url := fmt.Sprintf("https://receiver.test/%d", r.made)
	e := r.at(url)
	e.key = key
	r.mu.Unlock()
	sub, err := r.d.Subscribe(context.Background(), store.Subscription{
		Tenant: tenant, URL: url, Events: patterns, Secrets: []signing.Secret{key},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Subscription = sub
	return e
}

// At returns the Endpoint of a URL that the host itself subscribes. Its signatures are not checked.
func (r *Receiver) At(url string) *Endpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at(url)
}

// at returns the Endpoint of a URL, and makes it if there is none. r.mu must be held.
func (r *Receiver) at(url string) *Endpoint {
	e := r.endpoints[url]
	if e == nil {
		e = &Endpoint{r: r, Subscription: store.Subscription{URL: url}}
		r.endpoints[url] = e
	}
	return e
}

// Answer makes the Receiver answer the next requests with these statuses, one each, at whichever
// endpoint that has none of its own; after them, as before the first, it answers 200.
func (r *Receiver) Answer(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers.once = append(r.answers.once, statuses...)
}

// Always makes the Receiver answer every request with the status, once those of Answer are used up,
// at each endpoint that has none of its own. A status of 0 ends that.
func (r *Receiver) Always(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers.always = status
}

// Next returns the next request that arrived, in order of arrival. It waits for it up to ten
// seconds; then it fails the test.
func (r *Receiver) Next() Delivery {
	r.t.Helper()
	return r.wait(&r.next, "")
}

// wait returns the first request after *next to a URL, or ("") to any, and moves *next behind it.
func (r *Receiver) wait(next *int, url string) Delivery {
	r.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		r.mu.Lock()
		for ; *next < len(r.all); *next++ {
			if d := r.all[*next]; url == "" || d.URL == url {
				*next++
				r.mu.Unlock()
				return d
			}
		}
		more := r.more
		r.mu.Unlock()
		select {
		case <-more:
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
	if req.Method == http.MethodOptions { // it wants deliveries, from anybody and at any rate
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req,
			Header: http.Header{"Webhook-Allowed-Origin": {"*"}, "Webhook-Allowed-Rate": {"*"}}}, nil
	}
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
	if e := r.endpoints[d.URL]; e != nil && e.key != "" {
		v := signing.Verifier{Keys: []signing.Secret{e.key}, AllowAiry: r.airy}
		if err := v.Verify(req.Header, body); err != nil {
			r.t.Errorf("dispatchertest: %s to %s does not verify: %v", d.ID, d.URL, err)
		}
	}
	d.Status = r.answer(d.URL)
	r.all = append(r.all, d)
	close(r.more)
	r.more = make(chan struct{})
	challenge, _ := signing.Challenge(body) // which it agrees to
	return &http.Response{
		StatusCode: d.Status,
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(challenge)),
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
	if ok, err := d.parseCloudEvent(req.Header, body); ok || err != nil {
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
