// Package browse opens pages of the console as operators and customers do, without a socket.
package browse

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console"
)

// Console is the console of a dispatcher.
type Console struct{ handler http.Handler }

// New returns the console of a dispatcher. It is safe for concurrent use.
func New(d *dispatcher.Dispatcher) (*Console, error) {
	who := func(r *http.Request) (console.Access, error) {
		tenant, customer := r.Header["Tenant"]
		if customer {
			return console.Access{Tenant: tenant[0], May: console.MayAll}, nil
		}
		return console.Access{AnyTenant: true, May: console.MayAll}, nil
	}
	handler, err := console.Handler(d, who, nil)
	return &Console{handler}, err
}

// Page is a page of the console.
type Page struct {
	Path   string  // with its query
	Tenant *string // of the customer who opens it; nil is the operator
}

// next finds the link to the next page, or to where a search goes on.
var next = regexp.MustCompile(`href="([^"]+)"(?: rel="next"|>Go on<)`)

// Open opens a page and those after it, n at most, and returns how long each took.
func (c *Console) Open(p Page, n int) (took []time.Duration, err error) {
	for len(took) < n {
		start := time.Now()
		body, err := c.get(p)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
		link := next.FindStringSubmatch(body)
		if link == nil {
			break
		}
		p.Path = html.UnescapeString(link[1])
	}
	return took, nil
}

// get returns a page. A search that finds nothing is a 404 and no error.
func (c *Console) get(p Page) (string, error) {
	at, err := url.Parse("/console/" + p.Path)
	if err != nil {
		return "", err
	}
	r := httptest.NewRequest(http.MethodGet, at.String(), nil)
	if p.Tenant != nil {
		r.Header["Tenant"] = []string{*p.Tenant}
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusNotFound {
		return "", fmt.Errorf("browse: %s: the console answered %d", at, w.Code)
	}
	return w.Body.String(), nil
}

// Live lets an operator look at each of the pages, which refreshes itself, until the function that
// it returns is called. That says what went wrong. The operators begin one after the other, as
// people do.
func (c *Console) Live(
	ctx context.Context, refresh time.Duration, pages ...Page,
) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	errs := make([]error, len(pages))
	var wg sync.WaitGroup
	for i, p := range pages {
		wg.Go(func() {
			turn := time.NewTimer(time.Duration(i) * refresh / time.Duration(len(pages)))
			defer turn.Stop()
			for errs[i] == nil {
				select {
				case <-turn.C:
				case <-ctx.Done():
					return
				}
				turn.Reset(refresh)
				_, errs[i] = c.get(p)
			}
		})
	}
	return func() error {
		cancel()
		wg.Wait()
		return errors.Join(errs...)
	}
}
