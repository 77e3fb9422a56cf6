package dispatchertest

import (
	"net/http"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Endpoint is one URL of a Receiver. Its methods may be called as those of the Receiver.
type Endpoint struct {
	store.Subscription // as it was made; of At, its URL alone

	r *Receiver

	// Guarded by r.mu.
	key     signing.Secret // of Subscribe; empty where no signature is checked
	answers answers
	next    int // how many of r.all Next has looked at
}

// answers are the statuses to answer.
type answers struct {
	once   []int // one each
	always int   // after those; 0 for none
}

// take returns the status for a request, or 0 for none.
func (a *answers) take() int {
	if len(a.once) == 0 {
		return a.always
	}
	status := a.once[0]
	a.once = a.once[1:]
	return status
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
func (e *Endpoint) Always(status int) {
	e.r.mu.Lock()
	defer e.r.mu.Unlock()
	e.answers.always = status
}

// Next returns the next request that arrived at the Endpoint. It waits as Next of the Receiver
// does, which gets the same requests.
func (e *Endpoint) Next() Delivery {
	e.r.t.Helper()
	return e.r.wait(&e.next, e.URL)
}

// All returns every request that has arrived at the Endpoint so far, in order of arrival.
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

// answer returns the status for a request to a URL. r.mu must be held.
func (r *Receiver) answer(url string) int {
	if e := r.endpoints[url]; e != nil {
		if status := e.answers.take(); status != 0 {
			return status
		}
	}
	if status := r.answers.take(); status != 0 {
		return status
	}
	return http.StatusOK
}
