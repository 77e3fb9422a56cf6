package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"strconv"

	"github.com/outhook/outhook/httpapi/internal/wire"
)

// stream is a response that is an object with a list of any length, which is sent as it is read.
type stream struct {
	field string // the list's

	// next returns the next items, and whether there are more. With an error, what it returns
	// before is not sent.
	next func(ctx context.Context) (items []any, more bool, err error)

	// rest returns the field after the list, once next has returned the last items; "" is none.
	rest func() (field string, value any)
}

// streamBuffer is how many bytes are sent at once.
const streamBuffer = 32 << 10

// writeStream sends a stream. An error before the first byte gets the status that it has elsewhere.
// Later it can't: the connection is aborted, so that no client takes the beginning for the whole.
func (a *api) writeStream(w http.ResponseWriter, r *http.Request, e *endpoint, s *stream) {
	var buf bytes.Buffer
	buf.WriteString(`{"` + s.field + `":[`)
	begun, separator := false, ""
	for more := true; more; {
		var (
			items []any
			err   error
		)
		items, more, err = s.next(r.Context())
		switch {
		case err != nil && !begun:
			a.writeFailure(w, r, e, err)
			return
		case err != nil:
			a.logFailure(r.Context(), e.name, err)
			panic(http.ErrAbortHandler)
		}
		if more && !begun {
			begun = true
			setHeader(w.Header())
			w.WriteHeader(http.StatusOK)
		}
		for _, item := range items {
			buf.WriteString(separator)
			separator = ","
			wire.Append(&buf, item)
			if begun && buf.Len() >= streamBuffer {
				if _, err := w.Write(buf.Bytes()); err != nil {
					return // the client has gone
				}
				buf.Reset()
			}
		}
	}
	buf.WriteByte(']')
	if field, value := s.rest(); field != "" {
		buf.WriteString(`,"` + field + `":`)
		wire.Append(&buf, value)
	}
	buf.WriteString("}\n")
	if !begun { // all of it came at once
		setHeader(w.Header())
		w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
		w.WriteHeader(http.StatusOK)
	}
	_, _ = w.Write(buf.Bytes())
}
