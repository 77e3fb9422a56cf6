package send

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/outhook/outhook/store"
)

// authenticate has the hook give the credentials of an attempt; see Hooks. Its error is a
// hookError.
func (s *Sender) authenticate(ctx context.Context, c *store.Claim, m *message) error {
	if s.hooks.Authenticate == nil {
		return nil
	}
	return s.guard("Authenticate", c, func() error {
		// Both are copies: the message's are compared with what comes, and hidden in the history.
		auth, err := s.hooks.Authenticate(ctx, c.Subscription.Clone(), m.rejected.Clone())
		if err == nil {
			err = checkHookHeader(auth)
		}
		if err != nil {
			return err
		}
		m.auth = auth.Clone()
		return nil
	})
}

// mayRenew reports whether an answer refuses the credentials of an attempt, so that others are
// worth a try.
func (s *Sender) mayRenew(res *http.Response, p *Policy) bool {
	return s.hooks.Authenticate != nil && res.StatusCode == http.StatusUnauthorized &&
		!p.Success(res.StatusCode)
}

// renew tells the hook that its credentials were refused. If it has others, the request is sent
// once more, with them and in place of the first, within the same attempt. It returns the last
// request with what came of it. This is done once: an endpoint that refuses every credential must
// not get requests without end.
func (s *Sender) renew(
	ctx context.Context, c *store.Claim, m *message,
	req *http.Request, res *http.Response, prog *progress,
) (*http.Request, *http.Response, error) {
	m.rejected = m.auth
	if err := s.authenticate(ctx, c, m); err != nil {
		closeAnswer(res)
		return req, nil, err
	}
	if sameHeader(m.auth, m.rejected) { // the endpoint would only refuse it again
		return req, res, nil
	}
	// To its end, so that the second request can go over the same connection.
	if res.Body != nil {
		readAnswer(ctx, res, 0)
	}
	closeAnswer(res)
	t, err := s.targets.find(c.Subscription.URL)
	if err != nil {
		return req, nil, err
	}
	again := t.request(ctx, m)
	again.Header = s.header(c, m)
	res, err = s.roundTrip(again, c, prog)
	return again, res, err
}

// closeAnswer closes the body of an answer, which a host's transport may leave out.
func closeAnswer(res *http.Response) {
	if res.Body != nil {
		res.Body.Close()
	}
}

// sameHeader reports whether two sets of headers are sent the same.
func sameHeader(a, b http.Header) bool {
	canonical := func(h http.Header) map[string][]string {
		out := make(map[string][]string, len(h))
		for name, values := range h {
			out[http.CanonicalHeaderKey(name)] = values
		}
		return out
	}
	return maps.EqualFunc(canonical(a), canonical(b), slices.Equal[[]string])
}
