package httpapi

import (
	"context"
	"log/slog"
	"net/http"
)

// handler serves an endpoint. What is checked first is answered first: the method, who asks, whether the host
// delivers, the content type, the size, the JSON, the fields.
func (a *api) handler(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := a.serve(w, r, &e)
		if err != nil {
			a.writeFailure(w, r, &e, err)
			return
		}
		write(w, http.StatusOK, response)
	})
}

func (a *api) serve(w http.ResponseWriter, r *http.Request, e *endpoint) (any, error) {
	limitBody(w, r)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &refusal{http.StatusMethodNotAllowed, "the method is not POST; send a POST request"}
	}
	tenant, err := a.auth(r)
	if err != nil {
		return nil, &refusal{http.StatusForbidden, "the request is not authorized; send the credentials that this host asks for"}
	}
	if err := a.checkReady(r.Context(), e); err != nil {
		return nil, err
	}
	f, err := readFields(w, r, e)
	if err != nil {
		return nil, err
	}
	return e.run(r.Context(), tenant, f)
}

func (a *api) checkReady(ctx context.Context, e *endpoint) error {
	if !e.ready {
		return nil
	}
	if err := a.o.Ready(); err != nil {
		a.o.Logger.LogAttrs(ctx, slog.LevelWarn, "httpapi: refused, the host is not ready to deliver", slog.Any("error", err))
		return &refusal{http.StatusConflict, "webhook delivery is not enabled on this host; it needs to be enabled before webhooks can be changed"}
	}
	return nil
}
