package dispatcher

import (
	"bytes"
	"context"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
)

// maxTargets is how many URLs stay parsed.
const maxTargets = 256

// targets makes requests. It keeps what a URL says for the next request to it.
type targets struct {
	seed maphash.Seed
	kept [maxTargets]atomic.Pointer[target] // by the hash of the URL
}

// target is a URL with a request to it that has no body.
type target struct {
	url  string
	base *http.Request
}

func newTargets() *targets { return &targets{seed: maphash.MakeSeed()} }

// find returns the target that a URL stands for. It is errURL when nothing can be posted there.
func (ts *targets) find(url string) (*target, error) {
	slot := &ts.kept[maphash.String(ts.seed, url)%maxTargets]
	if t := slot.Load(); t != nil && t.url == url {
		return t, nil
	}
	req, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil || req.URL.Host == "" || (req.URL.Scheme != "https" && req.URL.Scheme != "http") {
		return nil, errURL // it was checked when the subscription was stored, but perhaps not by us
	}
	t := &target{url, req}
	slot.Store(t)
	return t, nil
}

// post returns a request to post the body. Its headers are to be set.
func (t *target) post(ctx context.Context, body []byte) *http.Request {
	parts := &struct { // one piece of memory for both
		url    url.URL
		reader bytes.Reader
	}{url: *t.base.URL}
	parts.reader.Reset(body)
	req := t.base.WithContext(ctx)
	req.URL, req.Body, req.ContentLength = &parts.url, io.NopCloser(&parts.reader), int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return req
}
