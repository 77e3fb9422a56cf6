package wire

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/outhook/outhook/dispatcher"
)

// Polled is a delivery in the response of /webhooks.poll: what an attempt would have posted.
type Polled struct {
	EventID   string    `json:"event_id"`
	EventType string    `json:"event_type"`
	Time      Timestamp `json:"time"` // when the event happened
	Attempt   int       `json:"attempt"`
	Headers   []Header  `json:"headers"`

	// Body is the bytes that the signatures are over. If they are no UTF-8, which only a host's
	// Transform can make, they are in BodyBase64 and it is missing.
	Body       *string `json:"body,omitempty"`
	BodyBase64 string  `json:"body_base64,omitempty"`
}

// Poll is the response of /webhooks.poll.
type Poll struct {
	Data   []Polled `json:"data"`
	Cursor string   `json:"cursor"` // empty if there is nothing to acknowledge
	More   bool     `json:"more"`   // there is more to read at once
}

// NewPoll returns the response for what was read.
func NewPoll(r *dispatcher.PollResult) Poll {
	out := Poll{Data: make([]Polled, len(r.Deliveries)), Cursor: r.Cursor, More: r.More}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		p := Polled{EventID: d.EventID, EventType: d.EventType, Time: Timestamp(d.Time),
			Attempt: d.Attempt, Headers: sortedHeaders(d.Header)}
		if utf8.Valid(d.Body) {
			text := string(d.Body)
			p.Body = &text
		} else {
			p.BodyBase64 = base64.StdEncoding.EncodeToString(d.Body)
		}
		out.Data[i] = p
	}
	return out
}
