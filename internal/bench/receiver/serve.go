package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/signing"
)

// Serve is the receiver's process. It prints its address and serves until its input ends.
func Serve(in io.Reader, out io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var e endpoint
	e.ledger.Store(newLedger(expectation{}))
	mux := http.NewServeMux()
	mux.HandleFunc("/expect", e.expect)
	mux.HandleFunc("/wait", e.wait)
	mux.HandleFunc("/report", e.result)
	mux.HandleFunc("/hang/", hang)
	mux.HandleFunc(hookPath, e.hook)
	server := &http.Server{Handler: mux}
	fmt.Fprintln(out, ln.Addr())
	go func() {
		io.Copy(io.Discard, in)
		server.Close()
	}()
	if err := server.Serve(ln); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// hookPath is where deliveries go, followed by the number of the path.
const hookPath = "/hook/"

// verifyEvery is how many signatures there are to one that is verified.
const verifyEvery = 64

// endpoint is what the receiver serves.
type endpoint struct {
	ledger  atomic.Pointer[ledger]
	buffers sync.Pool
}

// hook takes a delivery.
func (e *endpoint) hook(w http.ResponseWriter, r *http.Request) {
	buf, _ := e.buffers.Get().(*bytes.Buffer)
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	defer e.buffers.Put(buf)
	buf.Reset()
	if _, err := buf.ReadFrom(r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	path, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, hookPath))
	event, sent, ok := readStamp(buf.Bytes())
	if err != nil || !ok {
		path = -1
	}
	signed := true
	if event%verifyEvery == 0 {
		v := signing.Verifier{Keys: []signing.Secret{Secret}}
		signed = v.Verify(r.Header, buf.Bytes()) == nil
	}
	e.ledger.Load().note(path, event, sent, signed)
}

// hang answers nobody.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) // or else the server does not notice that the sender has gone
	<-r.Context().Done()
}

func (e *endpoint) expect(w http.ResponseWriter, r *http.Request) {
	var want expectation
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.ledger.Store(newLedger(want))
}

// wait answers when all has come, or the time is up.
func (e *endpoint) wait(w http.ResponseWriter, r *http.Request) {
	limit, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-e.ledger.Load().done:
	case <-time.After(limit):
	case <-r.Context().Done():
	}
	e.result(w, r)
}

func (e *endpoint) result(w http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(w).Encode(e.ledger.Load().result())
}
