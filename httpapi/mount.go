package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// Mount serves the endpoints on the host's mux. It registers each path for every method that
// net/http names, so that it does not conflict with catch-all routes of the host ("/", "GET /"),
// registered before or after.
//
// The error is an *events.InvalidError for mux, d, auth or a field of the options. Or it names the
// route of the host that conflicts; then some of the endpoints may be registered already.
func Mount(mux *http.ServeMux, d *dispatcher.Dispatcher, auth Authorizer, o *Options) error {
	if mux == nil {
		return &events.InvalidError{Field: "mux", Reason: "is nil; give the mux that your server serves"}
	}
	a, err := newAPI(d, auth, o)
	if err != nil {
		return err
	}
	for _, e := range a.endpoints() {
		// One path for each endpoint: in a pattern, a wildcard stands for a whole segment, so there
		// is none for webhooks.{name}.
		for _, method := range methods() {
			if err := register(mux, method+" "+a.path(&e), a.handler(e)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Handler returns a handler for the endpoints, for a host that does not route by http.ServeMux. Any
// other path is a 404. The error is an *events.InvalidError for d, auth or a field of the options.
func Handler(d *dispatcher.Dispatcher, auth Authorizer, o *Options) (http.Handler, error) {
	a, err := newAPI(d, auth, o)
	if err != nil {
		return nil, err
	}
	// A map and no ServeMux, which would redirect a path that is not clean.
	handlers := make(map[string]http.Handler)
	var names []string
	for _, e := range a.endpoints() {
		handlers[a.path(&e)] = a.handler(e)
		names = append(names, "webhooks."+e.name)
	}
	unknown := "there is no such endpoint; the endpoints are " + strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, ok := handlers[r.URL.Path]
		if !ok { // JSON too, for clients that read a message from each answer
			writeError(w, http.StatusNotFound, unknown)
			return
		}
		handler.ServeHTTP(w, r)
	}), nil
}

// methods are the methods that a path is registered for. A pattern without a method would be
// shorter, but http.ServeMux refuses it beside a host's "GET /".
func methods() []string {
	return []string{
		http.MethodPost, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions,
		http.MethodConnect, http.MethodTrace, // GET includes HEAD
	}
}

// register is mux.Handle, but returns an error instead of panicking. The mux panics if the host has
// the path already, which is a mistake that the host can handle.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("httpapi: mount %s: %v", pattern, p)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}
