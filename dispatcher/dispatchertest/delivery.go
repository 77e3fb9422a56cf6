package dispatchertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/outhook/outhook/signing"
)

// Delivery is a request that arrived.
type Delivery struct {
	URL     string
	ID      string    // the event's: webhook-id
	Attempt int       // webhook-attempt
	At      time.Time // when it arrived
	Status  int       // what was answered; 0 if nothing was

	Type    string
	Time    time.Time // when the event happened, to the millisecond, UTC
	Payload json.RawMessage

	Header http.Header // of the request, with the signatures
	Body   []byte      // what is signed: Type, Time and Payload are parsed from it
}

// String returns the delivery in a line, for the messages of a test: its type, ID and attempt,
// where it went, what was answered, and the payload.
func (d Delivery) String() string {
	return fmt.Sprintf("%s %s, attempt %d to %s, answered %d: %s",
		d.Type, d.ID, d.Attempt, d.URL, d.Status, d.Payload)
}

// parse reads a request as a receiver does. After an error, the Delivery has what was read before.
func parse(req *http.Request, body []byte) (Delivery, error) {
	d := Delivery{
		URL:    req.URL.String(),
		ID:     req.Header.Get(signing.HeaderID),
		At:     time.Now(),
		Header: req.Header.Clone(),
		Body:   body,
	}
	var err error
	if d.Attempt, err = strconv.Atoi(req.Header.Get(signing.HeaderAttempt)); err != nil {
		return d, err
	}
	if ok, err := d.parseCloudEvent(req.Header, body); ok || err != nil {
		return d, err
	}
	var envelope struct {
		Type      string          `json:"type"`
		Timestamp int64           `json:"timestamp"`
		Payload   json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return d, err
	}
	d.Type, d.Payload = envelope.Type, envelope.Payload
	d.Time = time.UnixMilli(envelope.Timestamp).UTC()
	return d, nil
}
