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

// receivers has the endpoints by which the owner of a webhook tries what receives it, or is that
// itself.
type receivers struct{ *api }

// ping sends a request to a webhook now and returns its endpoint's answer: a webhook.ping, or the
// example of a type of the catalogue. It takes as long as the endpoint does, up to the dispatcher's
// Timeout. That the attempt failed is an answer and no error.
func (rs receivers) ping(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	eventType, _ := f.Text("event_type")
	sub, err := rs.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	var attempt store.Attempt
	if eventType == "" {
		attempt, err = rs.d.Ping(ctx, sub.ID)
	} else {
		attempt, err = rs.d.PingExample(ctx, sub.ID, eventType)
	}
	return wire.NewAnswer(&attempt), err
}

// poll reads deliveries of a webhook without a url, and acknowledges those of the last answer. It
// takes as long as the request says, if nothing comes.
func (rs receivers) poll(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q := dispatcher.PollRequest{}
	q.Cursor, _ = f.Text("cursor")
	q.Max, _ = f.Int("max", 1, dispatcher.MaxPoll)
	seconds, _ := f.Int("wait_seconds", 0, int(dispatcher.MaxPollWait/time.Second))
	q.Wait = time.Duration(seconds) * time.Second
	sub, err := rs.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	q.SubscriptionID = sub.ID
	result, err := rs.d.Poll(ctx, q)
	return wire.NewPoll(&result), err
}

// verify asks the endpoint of a webhook now whether it wants deliveries. That it does not is an
// answer and no error.
func (rs receivers) verify(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	sub, err := rs.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	attempt, err := rs.d.Verify(ctx, sub.ID)
	if errors.Is(err, store.ErrConflict) {
		return nil, &refusal{http.StatusConflict,
			"the url was changed while its endpoint was asked; ask again"}
	}
	return wire.NewAnswer(&attempt), err
}

// testFilter says which of the tenant's recent events a filter takes, and what would be sent of
// them. An operator says whose events to try.
func (rs receivers) testFilter(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	scope := acc.scope(f)
	sub := ask.Choice(f, scope.Tenant)
	if scope.AnyTenant {
		f.Fail("tenant", "is missing; say whose events the filter is to be tried on")
	}
	if f.Err != nil {
		return nil, f.Err
	}
	tests, err := rs.d.TestFilter(ctx, sub)
	return acc.view().FilterTests(tests), err
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
