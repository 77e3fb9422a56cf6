package signing

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// MaxID is the longest webhook-id that Once remembers, in bytes. Those of outhook have 128 at most.
const MaxID = 256

// addTimeout bounds the call of Seen.Add, which the end of the request does not end.
const addTimeout = 10 * time.Second

// Seen remembers the ids of deliveries that a receiver has handled. MemorySeen and package boltseen
// implement it; over the database of a receiver it is a table with one column.
//
// The ids of two senders may be equal, and so may those of two tenants of one sender. A receiver of
// several has a Seen, and a Once, for each. All methods must be safe for concurrent use.
type Seen interface {
	// Has reports whether Add has been called with the id, and the id is still remembered.
	Has(ctx context.Context, id string) (bool, error)

	// Add remembers an id. Doing it again changes nothing. When it returns nil, Has reports true
	// from then on, after a restart too if the Seen is durable, until the id is forgotten because
	// it is old or there are too many.
	Add(ctx context.Context, id string) error
}

// Once lets each delivery through to a handler once, by its webhook-id. Put it inside a Verifier,
// so that ids are what the sender has signed:
//
//	once := &signing.Once{}
//	mux.Handle("POST /webhook", verifier.Handler(once.Handler(next)))
//
// A delivery counts as handled when the handler has returned after a status from 200 to 299, or
// without any. Its id is remembered then, before net/http sends an answer of the usual size. A
// repetition of it gets an empty 200, and the handler is not called. After another status or a
// panic nothing is remembered, so the delivery is handled when it comes again.
//
// Of deliveries with one id that come at the same time, one is handled and the others wait for it,
// until their sender gives up: if it was handled they get the empty 200, otherwise the next of them
// is handled. (A 503 would work too, but a sender takes it for a sign of an endpoint that is
// overloaded, and slows down.)
//
// A delivery without a webhook-id is handled each time: there is nothing to recognize it by. Such
// are those that a Verifier takes by AllowAiry. An id longer than MaxID gets a 400. If Seen.Has
// fails, the answer is a 503 with Retry-After, and the handler is not called: the sender sends the
// delivery again. If Seen.Add fails, this is logged, and the handler's answer goes out: the
// delivery was handled, and a 503 would only make the sender repeat it.
//
// This is not exactly once: if the process ends after the handler has done its work and before the
// id is stored, the delivery comes again and is handled again. A handler for which that matters
// stores the id in the transaction of its work, as boltseen's AddTx does; Once then finds it. A
// deliberate redelivery has the same id as the first delivery, and is not handled either as long as
// the id is remembered.
//
// Several processes that share a Seen may each handle one of two deliveries that come at the same
// time. outhook makes the attempts of a delivery one after another, but a webhook that was
// subscribed twice comes twice at a time.
//
// The zero value is ready to use, and remembers in memory. A Once must not be copied, and its
// fields not be changed, after Handler.
type Once struct {
	// Seen remembers what was handled. If nil, a new MemorySeen, so a restart forgets.
	Seen Seen

	// Logger gets an Error when Seen fails. If nil, slog.Default().
	Logger *slog.Logger

	memory MemorySeen // in place of Seen, if that is nil

	mu      sync.Mutex
	running map[string]chan struct{} // by id: closed when the handler of that delivery is done
}

// Handler returns a handler that calls next for each delivery once. All handlers of a Once remember
// together: a delivery that one of them has handled is not handled by another.
func (o *Once) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(HeaderID)
		switch {
		case id == "":
			next.ServeHTTP(w, r)
			return
		case len(id) > MaxID:
			http.Error(w, HeaderID+" is longer than 256 bytes; shorten it", http.StatusBadRequest)
			return
		}
		leave, err := o.enter(r.Context(), id)
		if err != nil { // the sender has gone
			tryAgain(w)
			return
		}
		defer leave()
		o.serve(next, w, r, id)
	})
}

// serve handles a delivery whose id no other request is handling.
func (o *Once) serve(next http.Handler, w http.ResponseWriter, r *http.Request, id string) {
	// In here, and not before enter: the request that was waited for may have handled it.
	has, err := o.seen().Has(r.Context(), id)
	if err != nil {
		o.logFailure(r.Context(), "signing: what was handled cannot be read", id, err)
		tryAgain(w)
		return
	}
	if has {
		w.WriteHeader(http.StatusOK)
		return
	}
	status := &statusWriter{ResponseWriter: w}
	next.ServeHTTP(status, r)
	if !status.isSuccess() {
		return
	}
	// Before this function returns, and so before net/http sends an answer that fits its buffer. In
	// the other order, a crash in between would leave a delivery that was answered and is handled
	// again should it be redelivered. The sender may have gone by now; the work is done all the
	// same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), addTimeout)
	defer cancel()
	if err := o.seen().Add(ctx, id); err != nil {
		o.logFailure(ctx, "signing: a delivery was handled, and this cannot be stored", id, err)
	}
}

// enter waits until no other request handles the id. The caller must call leave when it has handled
// it. The error is that of the context.
func (o *Once) enter(ctx context.Context, id string) (leave func(), err error) {
	for {
		o.mu.Lock()
		other, running := o.running[id]
		if !running {
			done := make(chan struct{})
			if o.running == nil {
				o.running = make(map[string]chan struct{})
			}
			o.running[id] = done
			o.mu.Unlock()
			return func() {
				o.mu.Lock()
				delete(o.running, id) // first, or one that waits would find it and wait for nothing
				o.mu.Unlock()
				close(done)
			}, nil
		}
		o.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (o *Once) seen() Seen {
	if o.Seen == nil {
		return &o.memory
	}
	return o.Seen
}

func (o *Once) logFailure(ctx context.Context, message, id string, err error) {
	logger := o.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(ctx, slog.LevelError, message, slog.String("event_id", id),
		slog.Any("error", err))
}

// tryAgain answers that the delivery was not handled.
func tryAgain(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, "not handled; send it again", http.StatusServiceUnavailable)
}

// statusWriter notes the status that a handler answers.
type statusWriter struct {
	http.ResponseWriter
	status int // 0: none yet
}

// WriteHeader notes the first status that is final: those from 100 to 199 announce another.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes a 200, as net/http sends it then, unless there is a status.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// isSuccess reports whether the handler, which has returned, has taken the delivery.
func (w *statusWriter) isSuccess() bool { return w.status == 0 || w.status/100 == 2 }
