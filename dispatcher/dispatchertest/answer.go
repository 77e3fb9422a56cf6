package dispatchertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/outhook/outhook/signing"
)

// answers say what a request gets.
type answers struct {
	once   []int        // these statuses, one each
	always http.Handler // after those; nil for none
}

// take returns the handler for a request; nil if there is none.
func (a *answers) take() http.Handler {
	if len(a.once) == 0 {
		return a.always
	}
	status := a.once[0]
	a.once = a.once[1:]
	return answer(status)
}

// answer is a handler that answers with a status, and agrees to a challenge.
type answer int

func (status answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // it is in memory
	w.WriteHeader(int(status))
	if challenge, ok := signing.Challenge(body); ok {
		io.WriteString(w, challenge)
	}
}

// always returns the handler that Always sets for a status; nil for 0.
func always(status int) http.Handler {
	if status == 0 {
		return nil
	}
	return answer(status)
}

// handler returns what answers a request to a URL. r.mu must be held.
func (r *Receiver) handler(url string) http.Handler {
	if e := r.endpoints[url]; e != nil {
		if h := e.answers.take(); h != nil {
			return h
		}
	}
	if h := r.answers.take(); h != nil {
		return h
	}
	return answer(http.StatusOK)
}

// serve has a handler answer a request, as a server behind a network would: the sender stops
// waiting when its time is over, whatever the handler does.
func (r *Receiver) serve(
	h http.Handler, req *http.Request, body []byte,
) (*http.Response, error) {
	in := req.Clone(req.Context())
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.RequestURI, in.RemoteAddr = req.URL.RequestURI(), "192.0.2.1:1234"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	type result struct {
		res *http.Response
		err error
	}
	done := make(chan result, 1)
	go func() {
		w := httptest.NewRecorder()
		if err := r.call(h, w, in); err != nil {
			done <- result{err: err}
			return
		}
		res := w.Result()
		res.Request = req
		done <- result{res: res}
	}()
	select {
	case got := <-done:
		return got.res, got.err
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// call calls a handler. One that panics gives no answer, as with net/http; with
// http.ErrAbortHandler that is on purpose.
func (r *Receiver) call(h http.Handler, w http.ResponseWriter, in *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = io.ErrUnexpectedEOF
		default:
			r.t.Errorf("dispatchertest: the handler for %s panics: %v", in.URL, p)
			err = fmt.Errorf("the handler panics: %v", p)
		}
	}()
	h.ServeHTTP(w, in)
	return nil
}

// RoundTrip takes a request in place of the network. It implements http.RoundTripper. It is called
// by the Dispatcher's goroutines, so it marks the test as failed and does not end it.
func (r *Receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodOptions { // it wants deliveries, from anybody and at any rate
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req,
			Header: http.Header{"Webhook-Allowed-Origin": {"*"}, "Webhook-Allowed-Rate": {"*"}}}, nil
	}
	body, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	d, err := parse(req, body)
	if err != nil { // it is recorded all the same, so that a test which waits for it goes on
		r.t.Errorf("dispatchertest: a request that is no delivery: %v", err)
	}
	if err := r.verify(d); err != nil {
		r.t.Errorf("dispatchertest: %s to %s does not verify: %v", d.ID, d.URL, err)
	}
	r.mu.Lock()
	h := r.handler(d.URL)
	r.mu.Unlock()
	res, err := r.serve(h, req, body)
	if err == nil {
		d.Status = res.StatusCode
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, d)
	close(r.more)
	r.more = make(chan struct{})
	return res, err
}

// verify checks the signature of a delivery, if it is to one of the endpoints that Subscribe made:
// by the key that its subscription began with, or those that it has now.
func (r *Receiver) verify(d Delivery) error {
	r.mu.Lock()
	e := r.endpoints[d.URL]
	if e == nil || len(e.keys) == 0 {
		r.mu.Unlock()
		return nil
	}
	v := signing.Verifier{Keys: e.keys, AllowAiry: r.airy}
	id := e.ID
	r.mu.Unlock()
	err := v.Verify(d.Header, d.Body)
	if err == nil {
		return nil
	}
	sub, notFound := r.d.Subscription(context.Background(), id)
	if notFound != nil {
		return err
	}
	v.Keys = sub.Secrets
	return v.Verify(d.Header, d.Body)
}
