package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"github.com/outhook/outhook/httpapi/internal/ask"
)

const (
	// MaxBody is the largest body of a request, in bytes. A webhook whose fields are all at their
	// bounds has about 175,000.
	MaxBody = 256 << 10

	// BodyTimeout is how long a body may take to arrive, unless the http.Server has a ReadTimeout
	// of its own.
	BodyTimeout = 20 * time.Second
)

// readFields reads the body of a request: an object, or no bytes if the endpoint allows that. Its
// error is a refusal or an *events.InvalidError.
func readFields(
	w http.ResponseWriter, r *http.Request, e *endpoint, acc Access,
) (*ask.Fields, error) {
	body, err := readBody(w, r, e)
	if err != nil {
		return nil, err
	}
	var values map[string]any
	if len(body) > 0 || !e.emptyBody {
		if values, err = ask.Parse(body); err != nil {
			return nil, err
		}
	}
	f := ask.New(values, e.name, e.fields(acc))
	return f, f.Err
}

// readBody reads a body of application/json, or one of no bytes if the endpoint allows that. The
// content type is not a formality: a browser sends no JSON to another origin unless that origin
// allows it, so a page of another site cannot act for a user who is logged in here. A request with
// a body must have it at every endpoint.
func readBody(w http.ResponseWriter, r *http.Request, e *endpoint) ([]byte, error) {
	typed := isJSON(r.Header)
	if !typed && !e.emptyBody {
		return nil, wrongType()
	}
	body, err := readAll(w, r)
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLarge):
		return nil, &refusal{http.StatusRequestEntityTooLarge,
			"the body is too large; send at most 256 KiB"}
	case errors.Is(err, os.ErrDeadlineExceeded): // of limitBody, or the server's ReadTimeout
		return nil, &refusal{http.StatusRequestTimeout,
			"the body did not arrive in time; send it without pausing"}
	case err != nil: // the client went away, or its chunks were malformed
		return nil, ask.BodyError("did not arrive whole; send as many bytes as its headers say")
	case !typed && len(body) > 0:
		return nil, wrongType()
	}
	return body, nil
}

// limitBody gives the body BodyTimeout to arrive, also one that no endpoint reads: net/http reads
// it before it answers. Once the body has arrived, net/http lifts the limit. Without a body there
// is nothing to limit, and a deadline would end the request's context.
func limitBody(w http.ResponseWriter, r *http.Request) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if r.ContentLength == 0 || server != nil && server.ReadTimeout > 0 {
		return
	}
	// The error means that there are no deadlines, as in a test's recorder.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(BodyTimeout))
}

// readAll reads at most MaxBody bytes; more is an *http.MaxBytesError, and the connection is closed
// after the answer, as nobody reads the rest.
func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody { // no need to wait for it
		return nil, &http.MaxBytesError{Limit: MaxBody}
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
}

// isJSON reports whether the content type is application/json, with any parameters.
func isJSON(h http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// wrongType is the error for a body that is not JSON by its content type.
func wrongType() error {
	return &refusal{http.StatusUnsupportedMediaType,
		"the content type is not application/json; set the header Content-Type: application/json"}
}
