package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/outhook/outhook/internal/bench/plain"
)

// rawSystem posts with a plain net/http client: to publish is to deliver.
type rawSystem struct {
	client *http.Client
	url    string
}

func openRaw(_ context.Context, j *job) (system, error) {
	return &rawSystem{plain.NewClient(), j.hook()}, nil
}

func (s *rawSystem) publish(ctx context.Context, first, last int) error {
	for event := first; event < last; event++ {
		body := plain.Body(event, time.Now())
		if err := plain.Post(ctx, s.client, s.url, plain.ID(event), body); err != nil {
			return err
		}
	}
	return nil
}

func (s *rawSystem) pending(context.Context) (int, error) { return 0, nil }

func (s *rawSystem) close() error {
	s.client.CloseIdleConnections()
	return nil
}

// fastHTTP is the same with fasthttp's client.
type fastHTTP struct {
	client *fasthttp.Client
	url    string
}

func openFastHTTP(_ context.Context, j *job) (system, error) {
	return &fastHTTP{&fasthttp.Client{MaxConnsPerHost: plain.Workers}, j.hook()}, nil
}

func (s *fastHTTP) publish(_ context.Context, first, last int) error {
	for event := first; event < last; event++ {
		if err := s.post(plain.ID(event), plain.Body(event, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

func (s *fastHTTP) post(id string, body []byte) error {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.SetRequestURI(s.url)
	req.Header.SetMethod(http.MethodPost)
	for name, values := range plain.Header(id, time.Now(), body) {
		req.Header.Set(name, values[0])
	}
	req.SetBodyRaw(body)
	if err := s.client.Do(req, res); err != nil {
		return err
	}
	if res.StatusCode() != http.StatusOK {
		return fmt.Errorf("the receiver answers %d", res.StatusCode())
	}
	return nil
}

func (s *fastHTTP) pending(context.Context) (int, error) { return 0, nil }

func (s *fastHTTP) close() error {
	s.client.CloseIdleConnections()
	return nil
}
