// Package plain posts deliveries with a plain net/http client and does nothing else. It is the
// ceiling that benchmarks measure senders against, and the worker of those that bring none. Puts is
// the ceiling of what stores.
package plain

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/signing"
)

// Workers is how many requests the ceiling has in flight.
const Workers = 64

// Type is the type of the events.
const Type = "message.created"

// NewClient returns a client that keeps a connection for each worker.
func NewClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: Workers, DisableCompression: true,
	}}
}

// ID returns the ID of an event.
func ID(event int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", event) }

// Body returns the body of an event that is published at a time.
func Body(event int, at time.Time) []byte {
	body := append([]byte(`{"type":"`+Type+`","timestamp":`+strconv.FormatInt(at.UnixMilli(), 10)+
		`,"payload":`), receiver.Stamped(event, at)...)
	return append(body, '}')
}

// Header returns the headers of a request, with both signatures of the body.
func Header(id string, at time.Time, body []byte) http.Header {
	return http.Header{
		"User-Agent":               {"bench"},
		"Content-Type":             {"application/json"},
		"Webhook-Id":               {id},
		"Webhook-Timestamp":        {strconv.FormatInt(at.Unix(), 10)},
		"Webhook-Attempt":          {"1"},
		"X-Custom":                 {"value"},
		"X-Airy-Content-Signature": {signing.Airy(receiver.Secret, body)},
		"Webhook-Signature":        {signing.Standard(id, at, body, receiver.Secret)},
	}
}

// NewRequest returns the request of a delivery, signed now.
func NewRequest(ctx context.Context, url, id string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = Header(id, time.Now(), body)
	return req, nil
}

// Post posts a body, signed now. It is an error unless the answer is 200.
func Post(ctx context.Context, client *http.Client, url, id string, body []byte) error {
	req, err := NewRequest(ctx, url, id, body)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the receiver answers %s", res.Status)
	}
	return nil
}

// PostAll posts the events 0 to n−1, by all workers.
func PostAll(ctx context.Context, client *http.Client, url string, n int) error {
	var next atomic.Int64
	errs := make([]error, Workers)
	var wg sync.WaitGroup
	for i := range Workers {
		wg.Go(func() {
			for errs[i] == nil {
				event := int(next.Add(1)) - 1
				if event >= n {
					return
				}
				errs[i] = Post(ctx, client, url, ID(event), Body(event, time.Now()))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
