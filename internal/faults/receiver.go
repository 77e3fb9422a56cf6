package faults

import (
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/outhook/outhook/signing"
)

// Receiver is the endpoints of hosts. Each path is one.
type Receiver struct {
	*httptest.Server
	ledger *Ledger
	Answer func(*http.Request) int // the status; it may take its time; nil: 200
}

// NewReceiver starts a receiver that notes what arrives.
func NewReceiver(l *Ledger, answer func(*http.Request) int) *Receiver {
	r := &Receiver{ledger: l, Answer: answer}
	r.Server = httptest.NewServer(r)
	return r
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the host was killed
	}
	id := req.Header.Get(signing.HeaderID)
	if want, err := Body(id); err != nil || string(body) != want {
		r.ledger.Fault("%s came with the body %q, want %q", id, body, want)
	}
	if err := (signing.Verifier{Keys: []signing.Secret{Key}}).Verify(req.Header, body); err != nil {
		r.ledger.Fault("%s does not verify: %v", id, err)
	}
	status := http.StatusOK
	if r.Answer != nil {
		status = r.Answer(req)
	}
	if status == http.StatusOK && req.Context().Err() == nil {
		r.ledger.Arrived(req.URL.Path, id, req.UserAgent())
	}
	w.WriteHeader(status)
}

// Moody answers 500 to one first attempt in twenty, and takes up to two milliseconds for each
// answer.
func Moody(req *http.Request) int {
	h := fnv.New32a()
	io.WriteString(h, req.URL.Path+req.Header.Get(signing.HeaderID))
	n := h.Sum32()
	<-time.After(time.Duration(n%2000) * time.Microsecond)
	if attempt, _ := strconv.Atoi(req.Header.Get(signing.HeaderAttempt)); attempt == 1 && n%20 == 0 {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}
