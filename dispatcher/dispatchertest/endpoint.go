package dispatchertest

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Endpoint is one URL of a Receiver. Its methods may be called as those of the Receiver.
type Endpoint struct {
	store.Subscription // as it was made; of At, its URL alone

	r *Receiver

	// Guarded by r.mu.
	keys    []signing.Secret // that it was made with; none where no signature is checked
	answers answers
	next    int // how many of r.all Next has looked at
}

// Subscribe makes a subscription of the tenant "" to the types that match the patterns (if none, to
// all), with a URL and a key of its own, and has the signature of all it gets checked.
func (r *Receiver) Subscribe(patterns ...string) *Endpoint {
	r.t.Helper()
	return r.SubscribeWith(store.Subscription{Events: patterns})
}

// SubscribeFor is Subscribe for a tenant.
func (r *Receiver) SubscribeFor(tenant string, patterns ...string) *Endpoint {
	r.t.Helper()
	return r.SubscribeWith(store.Subscription{Tenant: tenant, Events: patterns})
}

// SubscribeWith is Subscribe for a subscription with all that the test sets on it, such as a filter
// or headers. Without a URL or Secrets it gets those of its own. Its keys may rotate.
func (r *Receiver) SubscribeWith(sub store.Subscription) *Endpoint {
	r.t.Helper()
	if len(sub.Secrets) == 0 {
		sub.Secrets = []signing.Secret{signing.NewSecret()}
	}
	// The keys are known before there is a subscription, so the first request finds them.
	r.mu.Lock()
	r.made++
	if sub.URL == "" {
		sub.URL = fmt.Sprintf("https://receiver.test/%d", r.made)
	}
	e := r.at(sub.URL)
	e.keys = slices.Clone(sub.Secrets)
	r.mu.Unlock()
	sub, err := r.d.Subscribe(context.Background(), sub)
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

// Answer makes the Endpoint answer its next requests with these statuses, one each. After them the
// Receiver's count.
func (e *Endpoint) Answer(statuses ...int) {
	e.r.mu.Lock()
	defer e.r.mu.Unlock()
	e.answers.once = append(e.answers.once, statuses...)
}

// Always makes the Endpoint answer every request with the status, once those of Answer are used up.
// A status of 0 ends that.
func (e *Endpoint) Always(status int) { e.Handle(always(status)) }

// Handle has a handler answer every request to the Endpoint, once the statuses of Answer are used
// up, in place of what Always said; nil ends that. It is for answers with headers or a body, such
// as Retry-After, for those that come late, and for a receiver of the host's own. One that panics
// with http.ErrAbortHandler gives no answer, as a broken connection. Another panic fails the test.
// It must be safe for concurrent use.
func (e *Endpoint) Handle(h http.Handler) {
	e.r.mu.Lock()
	defer e.r.mu.Unlock()
	e.answers.always = h
}

// Next returns the next request that the Endpoint has answered. It waits as Next of the Receiver
// does, which gets the same requests.
func (e *Endpoint) Next() Delivery {
	e.r.t.Helper()
	return e.r.wait(&e.next, e.URL)
}

// All returns every request that the Endpoint has answered so far, in the order of its answers.
func (e *Endpoint) All() []Delivery {
	e.r.mu.Lock()
	defer e.r.mu.Unlock()
	var all []Delivery
	for _, d := range e.r.all {
		if d.URL == e.URL {
			all = append(all, d)
		}
	}
	return all
}
