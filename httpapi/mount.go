package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// An Authorizer says for which tenant a request speaks, "" where the host has one. An error refuses the request with
// a 403; its text is neither sent nor logged. It runs before the body is read and before anything else is looked at but the method,
// for several requests at once. If it panics, net/http ends the connection and nothing happens.
type Authorizer func(*http.Request) (tenant string, err error)

// NoAuth is the Authorizer of a host that has one tenant and keeps strangers out itself, before requests come here.
func NoAuth(*http.Request) (string, error) { return "", nil }

// Options are what a host may set. Nil and the zero value are the defaults.
type Options struct {
	// Prefix comes before the names of the endpoints: with "/api", /api/webhooks.subscribe. It starts with a slash and
	// doesn't end with one. If empty, there is none.
	Prefix string

	// Ready says whether this host delivers. While it returns an error, what would have it send something (subscribe,
	// update, ping, redeliver, replay) is answered 409 and changes nothing; the error is logged, not sent. It is called for
	// each of these requests, for several at once, and should be quick. If nil, the host always delivers.
	Ready func() error

	// Logger gets what goes wrong on this side: at Error a store that fails, at Warn what Ready says. If nil,
	// slog.Default().
	Logger *slog.Logger
}

// Mount serves the endpoints on the host's mux. It registers each path for every method that net/http names, so that
// it goes with whatever catch-all routes the host has ("/", "GET /"), before or after.
//
// The error is an *events.InvalidError naming mux, d, auth or Prefix; or it says which of the host's routes is in the
// way, and then some of the endpoints may be registered already.
func Mount(mux *http.ServeMux, d *dispatcher.Dispatcher, auth Authorizer, o *Options) error {
	if mux == nil {
		return &events.InvalidError{Field: "mux", Reason: "is nil; give the mux that your server serves"}
	}
	a, err := newAPI(d, auth, o)
	if err != nil {
		return err
	}
	for _, e := range a.endpoints() {
		for _, method := range methods() {
			if err := register(mux, method+" "+a.path(&e), a.handler(e)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Handler returns a handler of its own for the endpoints, for a host that routes by other means than http.ServeMux.
// Any other path is a 404. The error is an *events.InvalidError naming d, auth or Prefix.
func Handler(d *dispatcher.Dispatcher, auth Authorizer, o *Options) (http.Handler, error) {
	a, err := newAPI(d, auth, o)
	if err != nil {
		return nil, err
	}
	handlers := make(map[string]http.Handler)
	var names []string
	for _, e := range a.endpoints() {
		handlers[a.path(&e)] = a.handler(e)
		names = append(names, "webhooks."+e.name)
	}
	unknown := "there is no such endpoint; the endpoints are " + strings.Join(names, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, ok := handlers[r.URL.Path]
		if !ok {
			writeError(w, http.StatusNotFound, unknown)
			return
		}
		handler.ServeHTTP(w, r)
	}), nil
}

// methods lists what a path is registered for. A pattern without a method would be shorter, but http.ServeMux refuses
// it beside a host's "GET /".
func methods() []string {
	return []string{
		http.MethodPost, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		http.MethodConnect, http.MethodTrace, // GET includes HEAD
	}
}

// register is mux.Handle with an error in place of the panic.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("httpapi: mount %s: %v", pattern, p)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}
