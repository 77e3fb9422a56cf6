package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// poll reads deliveries of a webhook without a url, and acknowledges those of the last answer. It
// takes as long as the request says, if nothing comes.
func (a *api) poll(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q := dispatcher.PollRequest{}
	q.Cursor, _ = f.Text("cursor")
	q.Max, _ = f.Int("max", 1, dispatcher.MaxPoll)
	seconds, _ := f.Int("wait_seconds", 0, int(dispatcher.MaxPollWait/time.Second))
	q.Wait = time.Duration(seconds) * time.Second
	sub, err := a.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	q.SubscriptionID = sub.ID
	result, err := a.d.Poll(ctx, q)
	return wire.NewPoll(&result), err
}

// verify asks the endpoint of a webhook now whether it wants deliveries. That it does not is an
// answer and no error.
func (a *api) verify(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	sub, err := a.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	attempt, err := a.d.Verify(ctx, sub.ID)
	if errors.Is(err, store.ErrConflict) {
		return nil, &refusal{http.StatusConflict,
			"the url was changed while its endpoint was asked; ask again"}
	}
	return wire.NewAnswer(&attempt), err
}

// Granted returns the handler of [dispatcher.Verification].Callback, by which an endpoint agrees to
// deliveries later, as HTTP 1.1 Web Hooks for Event Delivery (4.1.3) has it: by a GET or a POST of
// the address that it was given. It needs no Authorizer: the key in the address is the permission.
// Mount it at the path of Callback, apart from other endpoints:
//
//	mux.Handle("/webhooks.granted", httpapi.Granted(d))
func Granted(d *dispatcher.Dispatcher) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, POST")
			writeError(w, http.StatusMethodNotAllowed, "the method is neither GET nor POST; send one")
			return
		}
		limitBody(w, r)
		q := r.URL.Query()
		err := d.Granted(r.Context(), q.Get("id"), q.Get("key"), r.Header.Get("WebHook-Allowed-Rate"))
		switch {
		case err == nil:
			write(w, http.StatusOK, struct{}{})
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict):
			writeError(w, http.StatusNotFound,
				"this address gives no permission any more; have the host ask again")
		default:
			writeError(w, http.StatusServiceUnavailable, "the store failed; asking again is safe")
		}
	})
}
