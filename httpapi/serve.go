package httpapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/internal/ask"
)

// handler serves an endpoint. It checks in this order: the method, authorization, whether the host
// delivers, the content type, the size, the JSON, the fields. Nothing of a body is read before the
// request is authorized.
func (a *api) handler(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := a.serve(w, r, &e)
		if err != nil {
			a.writeFailure(w, r, &e, err)
			return
		}
		if s, ok := response.(*stream); ok {
			a.writeStream(w, r, &e, s)
			return
		}
		write(w, http.StatusOK, response)
	})
}

// serve checks a request and runs its endpoint.
func (a *api) serve(w http.ResponseWriter, r *http.Request, e *endpoint) (any, error) {
	// Before anything that may refuse: net/http reads what is left of a body before it answers.
	limitBody(w, r)
	if err := checkMethod(w, r, e); err != nil {
		return nil, err
	}
	acc, err := a.authorize(r)
	if err != nil {
		return nil, err
	}
	if err := a.checkReady(r.Context(), e); err != nil {
		return nil, err
	}
	var f *ask.Fields
	if e.method == http.MethodPost {
		if f, err = readFields(w, r, e, acc); err != nil {
			return nil, err
		}
	}
	ctx := r.Context()
	if acc.Actor != "" {
		ctx = dispatcher.WithActor(ctx, acc.Actor)
	}
	return e.run(ctx, acc, f)
}

// checkMethod refuses any method but the endpoint's, with the Allow header that RFC 9110 (15.5.6)
// asks for; GET includes HEAD.
func checkMethod(w http.ResponseWriter, r *http.Request, e *endpoint) error {
	allow := e.method
	if e.method == http.MethodGet {
		allow = "GET, HEAD"
	}
	if r.Method == e.method || e.method == http.MethodGet && r.Method == http.MethodHead {
		return nil
	}
	w.Header().Set("Allow", allow)
	return &refusal{http.StatusMethodNotAllowed,
		"the method is not " + e.method + "; send a " + e.method + " request"}
}

// checkReady refuses a request that would make a host send something while it does not deliver.
// What only reads or stops deliveries goes on.
func (a *api) checkReady(ctx context.Context, e *endpoint) error {
	if !e.ready {
		return nil
	}
	if err := a.o.Ready(); err != nil {
		a.o.Logger.LogAttrs(ctx, slog.LevelWarn, "httpapi: refused, the host is not ready to deliver",
			slog.Any("error", err))
		return &refusal{http.StatusConflict,
			"webhook delivery is not enabled on this host; it needs to be enabled first"}
	}
	return nil
}
