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

	"github.com/outhook/outhook/signing"
)

// rawWorkers is how many requests the ceiling has in flight.
const rawWorkers = 64

// raw posts so many requests with a plain net/http client, and measures that.
func (b *bench) raw(ctx context.Context, n int) (spent, error) {
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: rawWorkers, DisableCompression: true,
	}}
	defer client.CloseIdleConnections()
	if err := b.receiver.expect(ctx, expectation{1, rawWorkers}); err != nil {
		return spent{}, err
	}
	if err := b.post(ctx, client, rawWorkers); err != nil { // opens the connections
		return spent{}, err
	}
	if err := b.receiver.expect(ctx, expectation{1, n}); err != nil {
		return spent{}, err
	}
	before := begin()
	if err := b.post(ctx, client, n); err != nil {
		return spent{}, err
	}
	s := before.end(time.Now(), n)
	_, err := b.receiver.judge(ctx)
	return s, err
}

// post posts the events 0 to n−1.
func (b *bench) post(ctx context.Context, client *http.Client, n int) error {
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
				errs[i] = b.postOne(ctx, client, event)
			}
		})
	}
	wg.Wait()
	return firstError(errs)
}

func (b *bench) postOne(ctx context.Context, client *http.Client, event int) error {
	now := time.Now()
	at := strconv.FormatInt(now.UnixMilli(), 10)
	body := append([]byte(`{"type":"`+benchType+`","timestamp":`+at+`,"payload":`),
		stamped(event, now)...)
	body = append(body, '}')
	req, err := http.NewRequestWithContext(ctx,
		http.MethodPost, b.receiver.hook(0), bytes.NewReader(body))
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
		"X-Airy-Content-Signature": {signing.Airy(benchSecret, body)},
		"Webhook-Signature":        {signing.Standard(id, now, body, benchSecret)},
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

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
