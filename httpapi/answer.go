package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// refusal is an error with an HTTP status. Its message is sent to the client as it is: what is
// wrong and what to do, without a value of the request.
type refusal struct {
	status  int
	message string
}

// Error implements error.
func (r *refusal) Error() string { return r.message }

// writeFailure answers with the status for an error. The text of an error goes to the client only
// if it was made for it: a refusal, or an *events.InvalidError, which names a field of the request.
// The store's own may hold paths and addresses of the host, so it is logged, and the client is told
// what it can do.
func (a *api) writeFailure(w http.ResponseWriter, r *http.Request, e *endpoint, err error) {
	refused, invalid := (*refusal)(nil), (*events.InvalidError)(nil)
	quota := (*dispatcher.QuotaError)(nil)
	unauthenticated := (*Unauthenticated)(nil)
	switch {
	case errors.As(err, &unauthenticated):
		writeUnauthenticated(w, unauthenticated)
	case errors.As(err, &refused):
		writeError(w, refused.status, refused.message)
	case errors.As(err, &invalid):
		writeError(w, http.StatusBadRequest, invalid.Error())
	case errors.As(err, &quota):
		writeQuota(w, quota)
	case errors.Is(err, store.ErrNotFound):
		writeError(w, http.StatusNotFound,
			"there is no webhook with this id; webhooks.list shows those that exist")
	case errors.Is(err, store.ErrSealed):
		a.logFailure(r.Context(), e.name, err) // the host has to give the store the key
		writeError(w, http.StatusConflict, "the headers and keys of this webhook can't be read, so "+
			"nothing can be sent to it; give its headers and its signature_key anew, in one "+
			"update, or delete it")
	default:
		// A 503 and not a 500: it says that the client may try again.
		a.logFailure(r.Context(), e.name, err)
		writeError(w, http.StatusServiceUnavailable,
			"the store failed; what was asked for may or may not have been done, and asking again "+
				"is safe")
	}
}

// logFailure logs an error of the store. If the client has gone, that is most likely the reason for
// it, and a host with many impatient clients must not see an Error for each.
func (a *api) logFailure(ctx context.Context, endpoint string, err error) {
	level := slog.LevelError
	if ctx.Err() != nil {
		level = slog.LevelDebug
	}
	a.o.Logger.LogAttrs(ctx, level, "httpapi: the store failed", slog.String("endpoint", endpoint),
		slog.Any("error", err))
}

// writeError answers {"message":"…"}.
func writeError(w http.ResponseWriter, status int, message string) {
	write(w, status, wire.Failure{Message: message})
}

// write sends a response. It ignores errors of sending, because they mean that the client has gone.
func write(w http.ResponseWriter, status int, v any) {
	// Encoded whole before the first byte goes out, so that there is a Content-Length, and a status
	// is never followed by half an answer. What may be large is a stream instead.
	var buf bytes.Buffer
	wire.Encode(&buf, v)
	setHeader(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes())
}

// setHeader sets the headers that every response has.
func setHeader(h http.Header) {
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff") // what an endpoint answered may be HTML
	h.Set("Cache-Control", "no-store")         // headers and a new key are credentials
}

// writeQuota answers a request that would exceed a quota of the tenant: 429, and when to try again.
func writeQuota(w http.ResponseWriter, e *dispatcher.QuotaError) {
	seconds := strconv.Itoa(max(int((e.RetryAfter+time.Second-1)/time.Second), 1))
	w.Header().Set("Retry-After", seconds)
	writeError(w, http.StatusTooManyRequests, quotaMessage(e, seconds))
}

// quotaMessage names the quota and says what to do.
func quotaMessage(e *dispatcher.QuotaError, seconds string) string {
	again := "; try again in " + seconds + " s"
	switch e.Kind {
	case dispatcher.QuotaSubscriptions:
		return fmt.Sprintf(
			"the quota of %d webhooks is used up; delete one that is not needed any more",
			e.Limit,
		)
	case dispatcher.QuotaSubscriptionBytes:
		return fmt.Sprintf(
			"the webhook would exceed the quota of %d bytes for url, name, description, metadata, "+
				"events, filter, fields, headers and keys; shorten or remove some",
			e.Limit,
		)
	case dispatcher.QuotaPings:
		return fmt.Sprintf("the quota of %d pings a minute is used up", e.Limit) + again
	case dispatcher.QuotaReplays:
		return fmt.Sprintf(
			"the quota of %d redeliveries and replays a minute is used up",
			e.Limit,
		) + again
	case dispatcher.QuotaHostProofs:
		return "the host of the webhook was asked for proof as often as it may be" + again
	case dispatcher.QuotaPolls:
		return fmt.Sprintf("%d polls are open, which is the quota; end one", e.Limit) + again
	case dispatcher.QuotaSubscriptionPings:
		return "the webhook has had a ping a second, which is the quota" + again
	}
	return "a quota is used up" + again
}
