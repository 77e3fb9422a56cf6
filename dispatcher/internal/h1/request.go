package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// Body is the body of a request, in memory. A plain request with such a body is written by this
// package, which costs a fraction of what http.Request.Write does, and with the same bytes. Nothing
// of it is read, so it can be given to another transport afterwards.
type Body struct {
	bytes.Reader
	data []byte
}

// Reset makes it a body of these bytes, which are not copied.
func (b *Body) Reset(data []byte) {
	b.data = data
	b.Reader.Reset(data)
}

// Close does nothing.
func (b *Body) Close() error { return nil }

// ForHTTP returns the body of a request as net/http is to get it, which knows its own types as ones
// in memory: of others it sends the headers first, in a packet of their own.
func ForHTTP(body io.ReadCloser) io.ReadCloser {
	if b, ok := body.(*Body); ok {
		return io.NopCloser(&b.Reader)
	}
	return body
}

// head is what was found out of a request before it is sent.
type head struct {
	size int // about how many bytes the request has; -1 if that is unknown

	// Of a request that this package writes; nil and empty otherwise.
	body   *Body
	uri    string
	agent  string  // User-Agent; it is not sent if it is empty
	fields []field // the other headers that are sent, by their names
}

// field is a header with its values.
type field struct {
	name   string
	values []string
}

// heads are used again, for the sake of their fields.
var heads = sync.Pool{New: func() any { return new(head) }}

// newHead looks at a request. Its error is ErrHeader.
func newHead(req *http.Request) (*head, error) {
	h := heads.Get().(*head)
	if err := h.fill(req); err != nil {
		h.free()
		return nil, err
	}
	return h, nil
}

// free gives a head back that nobody uses any more.
func (h *head) free() {
	clear(h.fields) // they would keep the headers in memory
	*h = head{fields: h.fields[:0]}
	heads.Put(h)
}

// inline reports whether a socket takes the whole request whether or not the other side reads, so
// that writing cannot wait for the endpoint.
func (h *head) inline() bool { return 0 <= h.size && h.size <= socketTakes }

func (h *head) fill(req *http.Request) error {
	hasAgent := false
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return ErrHeader
		}
		for _, value := range values {
			if !isValidValue(value) {
				return ErrHeader
			}
			h.size += len(name) + len(value) + len(": \r\n")
		}
		switch name {
		case "User-Agent":
			if hasAgent = true; len(values) > 0 {
				h.agent = textproto.TrimString(values[0])
			}
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			// They follow from the rest of the request.
		default:
			h.fields = append(h.fields, field{name, values})
		}
	}
	if req.Body != nil && req.ContentLength <= 0 && req.Body != http.NoBody {
		h.size = -1
		return nil
	}
	h.size += int(req.ContentLength)
	body, ok := req.Body.(*Body)
	if !ok || !hasAgent || !isPlain(req) || req.ContentLength != int64(len(body.data)) {
		return nil
	}
	h.body, h.uri = body, req.URL.RequestURI()
	slices.SortFunc(h.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return nil
}

// isValidValue is httpguts.ValidHeaderFieldValue, which looks at one byte at a time. This looks at
// eight, for control characters by the test for a zero byte of "Bit Twiddling Hacks"
// (https://graphics.stanford.edu/~seander/bithacks.html): it finds none that is not there unless it
// has found one before. Where it finds any, httpguts decides which are allowed.
func isValidValue(v string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(v)-n >= 8; n += 8 {
		b := v[n : n+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		del := x ^ ones*0x7f
		if ((x-ones*' ')&^x|(del-ones)&^del)&highs != 0 {
			return httpguts.ValidHeaderFieldValue(v)
		}
	}
	return httpguts.ValidHeaderFieldValue(v[n:])
}

// isPlain reports whether there is nothing about a request, apart from its headers and body, that
// http.Request.Write would have to change or refuse.
func isPlain(req *http.Request) bool {
	if req.Method == "" || req.Method == http.MethodConnect || req.Close || req.Host == "" ||
		req.TransferEncoding != nil || req.Trailer != nil || req.URL.Opaque != "" {
		return false
	}
	for i := range len(req.Host) { // an international name, or an address of IPv6 with its zone
		switch c := req.Host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.',
			c == '_', c == ':':
		default:
			return false
		}
	}
	// The path is escaped when it is written; the query is not.
	for i := range len(req.URL.RawQuery) {
		if c := req.URL.RawQuery[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// writeTo writes the request that h is of, which has a Body, as http.Request.Write does. The first
// error of w is kept by it.
func (h *head) writeTo(w *bufio.Writer, req *http.Request) {
	w.WriteString(req.Method)
	w.WriteString(" ")
	w.WriteString(h.uri)
	w.WriteString(" HTTP/1.1\r\nHost: ")
	w.WriteString(req.Host)
	if h.agent != "" {
		w.WriteString("\r\nUser-Agent: ")
		w.WriteString(h.agent)
	}
	w.WriteString("\r\nContent-Length: ")
	w.Write(strconv.AppendInt(w.AvailableBuffer(), req.ContentLength, 10))
	w.WriteString("\r\n")
	for i := range h.fields {
		f := &h.fields[i]
		for _, value := range f.values {
			w.WriteString(f.name)
			w.WriteString(": ")
			w.WriteString(textproto.TrimString(value)) // it has no line breaks: fill has looked
			w.WriteString("\r\n")
		}
	}
	w.WriteString("\r\n")
	w.Write(h.body.data)
}
