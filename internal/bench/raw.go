package main

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
	"github.com/outhook/outhook/internal/bench/usage"
	"github.com/outhook/outhook/signing"
)

// rawWorkers is how many requests the ceiling has in flight.
const rawWorkers = 64

// raw posts so many requests with a plain net/http client, and measures that.
func (b *bench) raw(ctx context.Context, n int) (usage.Spent, error) {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: rawWorkers, DisableCompression: true,
	}}
	defer client.CloseIdleConnections()
	if err := b.receiver.Expect(ctx, 1, rawWorkers); err != nil {
		return usage.Spent{}, err
	}
	raw := rawSender{client, b.receiver.Hook(0)}
	if err := raw.post(ctx, rawWorkers); err != nil { // opens the connections
		return usage.Spent{}, err
	}
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return usage.Spent{}, err
	}
	before := usage.Begin()
	if err := raw.post(ctx, n); err != nil {
		return usage.Spent{}, err
	}
	s := before.End(time.Now(), n)
	_, err := b.receiver.Judge(ctx)
	return s, err
}

// rawSender posts what a delivery would, and nothing else.
type rawSender struct {
	client *http.Client
	url    string
}

// post posts the events 0 to n−1.
func (s rawSender) post(ctx context.Context, n int) error {
	var next atomic.Int64
	errs := make([]error, rawWorkers)
	var wg sync.WaitGroup
	for i := range rawWorkers {
		wg.Go(func() {
			for errs[i] == nil {
				event := int(next.Add(1)) - 1
				if event >= n {
					return
				}
				errs[i] = s.postOne(ctx, event)
			}
		})
	}
	wg.Wait()
	return firstError(errs)
}

func (s rawSender) postOne(ctx context.Context, event int) error {
	now := time.Now()
	at := strconv.FormatInt(now.UnixMilli(), 10)
	body := append([]byte(`{"type":"`+benchType+`","timestamp":`+at+`,"payload":`),
		receiver.Stamped(event, now)...)
	body = append(body, '}')
	req, err := http.NewRequestWithContext(ctx,
		http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	id := fmt.Sprintf("01900000-0000-7000-8000-%012d", event)
	req.Header = http.Header{
		"User-Agent":               {"bench"},
		"Content-Type":             {"application/json"},
		"Webhook-Id":               {id},
		"Webhook-Timestamp":        {strconv.FormatInt(now.Unix(), 10)},
		"Webhook-Attempt":          {"1"},
		"X-Custom":                 {"value"},
		"X-Airy-Content-Signature": {signing.Airy(receiver.Secret, body)},
		"Webhook-Signature":        {signing.Standard(id, now, body, receiver.Secret)},
	}
	res, err := s.client.Do(req)
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

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
