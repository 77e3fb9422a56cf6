package wire

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Answer is an endpoint's answer to one request. Invalid UTF-8 in it is replaced when it is
// encoded.
type Answer struct {
	Status     int              `json:"status,omitempty"` // if there was an answer
	DurationMS int64            `json:"duration_ms"`
	ErrorClass dispatcher.Class `json:"error_class,omitempty"` // of Error
	Error      string           `json:"error,omitempty"`       // empty after a success
	Response   string           `json:"response,omitempty"`    // the beginning of the body
}

// Attempt is one request of a delivery.
type Attempt struct {
	Number int       `json:"number"`
	Time   Timestamp `json:"time"`
	Answer
	Detail *Detail `json:"detail,omitempty"` // if the host keeps it
}

// Detail is what was sent and answered in an attempt, beside the bodies. Values of the webhook's
// own headers are masked: the store has never had them.
type Detail struct {
	RequestHeaders   []Header `json:"request_headers"`
	RequestTruncated bool     `json:"request_truncated,omitempty"`
	AnswerHeaders    []Header `json:"answer_headers"`
	AnswerTruncated  bool     `json:"answer_truncated,omitempty"`

	// How long each part took, from zero; left out if it did not happen.
	DNSMS       *int64 `json:"dns_ms,omitempty"`
	ConnectMS   *int64 `json:"connect_ms,omitempty"`
	TLSMS       *int64 `json:"tls_ms,omitempty"`
	FirstByteMS *int64 `json:"first_byte_ms,omitempty"`
	Reused      bool   `json:"reused,omitempty"` // the connection was there

	// RemoteAddress tells of the host's network, such as a proxy in it, so only an operator sees
	// it.
	RemoteAddress string `json:"remote_address,omitempty"`
}

// Header is one line of HTTP headers. A name may occur several times.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attempts is the response of /webhooks.attempts.
type Attempts struct {
	Data []Attempt `json:"data"`
}

// NewAnswer returns what a response shows of an attempt, apart from its number, time and detail.
func NewAnswer(a *store.Attempt) Answer {
	return Answer{
		Status: a.Status, DurationMS: millis(a.Duration),
		ErrorClass: dispatcher.ErrorClass(a.Error), Error: a.Error, Response: string(a.Response),
	}
}

// Attempts returns the response for the attempts of a delivery.
func (v View) Attempts(all []store.Attempt) Attempts {
	out := Attempts{Data: make([]Attempt, len(all))}
	for i := range all {
		out.Data[i] = Attempt{Number: all[i].Number, Time: Timestamp(all[i].At),
			Answer: NewAnswer(&all[i]), Detail: v.detail(all[i].Detail)}
	}
	return out
}

// detail returns nil if there is none, or one that the host can't read.
func (v View) detail(d *store.AttemptDetail) *Detail {
	if d == nil || len(d.Sealed) > 0 {
		return nil
	}
	out := &Detail{
		RequestHeaders: headers(d.Request), RequestTruncated: d.RequestCut,
		AnswerHeaders: headers(d.Answer), AnswerTruncated: d.AnswerCut,
		DNSMS: phase(d.DNS), ConnectMS: phase(d.Connect), TLSMS: phase(d.TLS),
		FirstByteMS: phase(d.FirstByte), Reused: d.Reused,
	}
	if v.Operator {
		out.RemoteAddress = d.RemoteAddress
	}
	return out
}

// sortedHeaders returns the lines of headers, by their names in lower case.
func sortedHeaders(h http.Header) []Header {
	out := []Header{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			out = append(out, Header{strings.ToLower(name), value})
		}
	}
	return out
}

func headers(fields []store.HeaderField) []Header {
	out := make([]Header, len(fields))
	for i, f := range fields {
		out[i] = Header(f)
	}
	return out
}
