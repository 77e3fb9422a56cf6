// Package apitest records what tests of the endpoints send and get, so that another module can hold
// it to the OpenAPI description without burdening this one with a library that reads such
// descriptions.
package apitest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
)

// Env is the environment variable that names the file to record to. Without it nothing is recorded.
const Env = "OUTHOOK_RECORD"

// Exchange is a request and its response.
type Exchange struct {
	Test   string
	Method string
	Path   string // with the query
	Header http.Header
	Body   []byte // as much as was read

	Status         int
	ResponseHeader http.Header
	ResponseBody   []byte
}

// Record returns next, or where Env says so a handler that does the same and appends every Exchange
// of the test to the file, one JSON object a line.
func Record(t testing.TB, next http.Handler) http.Handler {
	file := os.Getenv(Env)
	if file == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := Exchange{Test: t.Name(), Method: r.Method, Path: r.URL.RequestURI(),
			Header: r.Header.Clone()}
		var sent bytes.Buffer
		r = r.WithContext(r.Context()) // a copy: net/http looks at the body of its own
		// Copied as it is read and not before: an endpoint that answers without reading it must be
		// seen to do so.
		r.Body = &body{r.Body, io.TeeReader(r.Body, &sent)}
		rec := &recorder{ResponseWriter: w, e: &e}
		next.ServeHTTP(rec, r)
		e.Body = sent.Bytes()
		if err := appendTo(file, &e); err != nil {
			t.Errorf("apitest: record: %v", err)
		}
	})
}

// appendTo writes an exchange in one call, as a line: the tests of a package run at the same time,
// and append to one file.
func appendTo(file string, e *Exchange) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		f.Close() // the error of Write says more
		return err
	}
	return f.Close()
}

// Read returns what was recorded to a file, in no certain order. Half a line at its end is an
// error.
func Read(file string) ([]Exchange, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []Exchange
	for dec := json.NewDecoder(f); ; {
		var e Exchange
		switch err := dec.Decode(&e); err {
		case nil:
			out = append(out, e)
		case io.EOF:
			return out, nil
		default:
			return nil, err
		}
	}
}

// body is a request's body. As much of it as the endpoint reads is copied.
type body struct {
	io.Closer
	io.Reader
}

// recorder passes a response on, and keeps it.
type recorder struct {
	http.ResponseWriter
	e *Exchange
}

// WriteHeader keeps the headers as they are sent. Later changes of the map are not.
func (r *recorder) WriteHeader(status int) {
	r.e.Status, r.e.ResponseHeader = status, r.Header().Clone()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.e.ResponseBody = append(r.e.ResponseBody, p...)
	return r.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController, by which endpoints set deadlines of the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
