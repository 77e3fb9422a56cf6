package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/outhook/outhook/signing"
)

// endpoint is the server of a customer. Only verified deliveries reach its handler.
type endpoint struct {
	handler http.Handler
	down    atomic.Bool

	mu   sync.Mutex
	took map[string]bool // the IDs of the orders it has taken
}

func newEndpoint(key signing.Secret) *endpoint {
	e := &endpoint{took: make(map[string]bool)}
	e.handler = signing.Verifier{Keys: []signing.Secret{key}}.Handler(http.HandlerFunc(e.take))
	return e
}

func (e *endpoint) take(w http.ResponseWriter, r *http.Request) {
	if e.down.Load() {
		http.Error(w, "closed for maintenance", http.StatusServiceUnavailable)
		return
	}
	var event struct{ Type string }
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		http.Error(w, "no event", http.StatusBadRequest)
		return
	}
	if event.Type == "order.created" {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.took[r.Header.Get(signing.HeaderID)] = true // twice is the same as once
	}
}

// count returns the number of orders that it has taken.
func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.took)
}
