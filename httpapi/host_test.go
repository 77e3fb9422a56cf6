package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/httpapi/internal/apitest"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

const (
	id1 = "3e639566-29fa-450d-a59f-ae3c25d7260f"
	id2 = "8a6c7f52-3f2e-4a1b-9c1d-0e5f6a7b8c9d"
)

// host is a program that has mounted the endpoints, behind a real socket unless it is direct. The
// header X-Tenant names the tenant of a request.
type host struct {
	t       *testing.T
	ctx     context.Context // of its requests; nil: the test's
	handler http.Handler
	url     string // "" when there is no socket
	d       *dispatcher.Dispatcher
	store   store.Store
	logged  *logBuffer
	pulls   bool // it has webhooks without a URL
}

// config is what a test may change about its host.
type config struct {
	store store.Store
	types *dispatcher.Options
	api   httpapi.Options
	auth  httpapi.Authorizer // if nil, byHeader
}

// endpoint stands in for every webhook's endpoint.
type endpoint func(*http.Request) (*http.Response, error)

func (e endpoint) RoundTrip(r *http.Request) (*http.Response, error) { return e(r) }

// says is an endpoint that answers with a status and a body.
func says(status int, body string) endpoint {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)),
			Request: r}, nil
	}
}

func newHost(t *testing.T, c config) *host {
	t.Helper()
	h := newDirect(t, c)
	server := httptest.NewServer(h.handler)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// newDirect returns a host without a socket, for a bubble of synctest.
func newDirect(t *testing.T, c config) *host {
	t.Helper()
	if c.store == nil {
		c.store = memstore.New()
	}
	logged := &logBuffer{}
	c.api.Logger = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.types == nil {
		c.types = &dispatcher.Options{}
	}
	c.types.Logger = c.api.Logger
	if c.types.MinSecret == 0 {
		c.types.MinSecret = 1 // as in Airy, whose keys may be as short
	}
	if c.types.Transport == nil {
		c.types.Transport = says(http.StatusOK, "thanks")
	}
	d, err := dispatcher.New(c.store, c.types)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	if c.auth == nil {
		c.auth = byHeader
	}
	if c.api.Access == nil {
		c.api.Access = operators
	}
	if err := httpapi.Mount(mux, d, c.auth, &c.api); err != nil {
		t.Fatal(err)
	}
	return &host{t: t, handler: apitest.Record(t, mux), d: d, store: c.store, logged: logged,
		pulls: c.types.AllowPull}
}

// byHeader is an Authorizer that trusts a header.
func byHeader(r *http.Request) (string, error) {
	switch tenant := r.Header.Get("X-Tenant"); tenant {
	case "stranger":
		return "", errors.New("the password hunter2 is wrong")
	case "unknown":
		return "", &httpapi.Unauthenticated{Challenge: `Bearer realm="hooks"`}
	default:
		return tenant, nil
	}
}

// operators is an Access that trusts a header too.
func operators(r *http.Request, tenant string) (httpapi.Access, error) {
	switch r.Header.Get("X-Operator") {
	case "":
		return httpapi.Access{Tenant: tenant}, nil
	case "suspended":
		return httpapi.Access{AnyTenant: true}, errors.New("the password hunter2 is wrong")
	}
	return httpapi.Access{Tenant: tenant, AnyTenant: true}, nil
}

// answer is a response as a client sees it, without the newline at its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// newAnswer fails unless a body ends with its newline.
func newAnswer(t *testing.T, status int, header http.Header, body string) answer {
	t.Helper()
	trimmed, ok := strings.CutSuffix(body, "}\n")
	if !ok && body != "" { // that of a HEAD
		t.Errorf("got %d %q, want one newline at the end", status, body)
	}
	if ok {
		trimmed += "}"
	}
	if n := header.Get("Content-Length"); body != "" && n != "" && n != strconv.Itoa(len(body)) {
		t.Errorf("got the Content-Length %s of %d bytes", n, len(body))
	}
	return answer{status, header, trimmed}
}

// post sends a body as JSON to an endpoint, with more headers as name, value, name, value; "-"
// leaves one out.
func (h *host) post(endpoint, body string, headers ...string) answer {
	return h.do(http.MethodPost, "/webhooks."+endpoint, strings.NewReader(body), headers...)
}

func (h *host) do(method, path string, body io.Reader, headers ...string) answer {
	h.t.Helper()
	ctx := h.ctx
	if ctx == nil {
		ctx = h.t.Context()
	}
	r, err := http.NewRequestWithContext(ctx, method, h.url+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.url == "" && r.Body == nil {
		r.Body = http.NoBody
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "-" {
			r.Header.Del(headers[i])
		}
	}
	if h.url == "" {
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		return newAnswer(h.t, w.Code, w.Header(), w.Body.String())
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return newAnswer(h.t, resp.StatusCode, resp.Header, string(text))
}

// with returns the host with another context for its requests.
func (h *host) with(ctx context.Context) *host {
	c := *h
	c.ctx = ctx
	return &c
}

// must sends a body that has to be taken, and returns the webhook of the response.
func (h *host) must(endpoint, body string, headers ...string) webhook {
	h.t.Helper()
	a := h.post(endpoint, body, headers...)
	if a.status != http.StatusOK {
		h.t.Fatalf("webhooks.%s %.200s: got %d %s, want 200", endpoint, body, a.status, a.body)
	}
	return decode[webhook](h.t, a)
}

// stored returns a webhook as the dispatcher has it.
func (h *host) stored(id string) store.Subscription {
	h.t.Helper()
	sub, err := h.d.Subscription(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return sub
}

// webhook has everything that a response may have, and fails to decode anything else.
type webhook struct {
	ID      *string           `json:"id"`
	Tenant  *string           `json:"tenant"`
	Name    *string           `json:"name"`
	URL     string            `json:"url"`
	Events  []string          `json:"events"`
	Headers map[string]string `json:"headers"`
	Status  string            `json:"status"`
	Signed  *bool             `json:"signed"`
	Version string            `json:"version"` // of info alone
	Key     *string           `json:"generated_signature_key"`

	Poll       bool    `json:"poll"`
	VerifiedAt *string `json:"verified_at"`
	Unreadable bool    `json:"unreadable"`

	Description string            `json:"description"`
	Metadata    map[string]string `json:"metadata"`
}

type list struct {
	Data       []webhook `json:"data"`
	Pagination *struct {
		PreviousCursor *string `json:"previous_cursor"`
		NextCursor     *string `json:"next_cursor"`
		Total          *int    `json:"total"`
	} `json:"pagination_data"`
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(strings.NewReader(a.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("response %s: %v", a.body, err)
	}
	return v
}

// message returns the message of an error response, which must have nothing else.
func message(t *testing.T, a answer) string {
	t.Helper()
	m := decode[struct {
		Message string `json:"message"`
	}](t, a).Message
	if m == "" {
		t.Errorf("got %d %s, want a message", a.status, a.body)
	}
	return m
}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
