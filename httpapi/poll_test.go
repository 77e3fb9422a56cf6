package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// polled is the response of /webhooks.poll.
type polled struct {
	Data []struct {
		EventID   string `json:"event_id"`
		EventType string `json:"event_type"`
		Time      string `json:"time"`
		Attempt   int    `json:"attempt"`
		Headers   []struct{ Name, Value string }
		Body      *string
		Base64    string `json:"body_base64"`
	} `json:"data"`
	Cursor string `json:"cursor"`
	More   bool   `json:"more"`
}

// TestPoll has a client subscribe without a url, read what is published, verify it, and
// acknowledge it.
func TestPoll(t *testing.T) {
	h := newHost(t, config{types: &dispatcher.Options{AllowPull: true}})
	const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	sub := h.must("subscribe", `{"id":"`+id1+`","poll":true,"signature_key":"`+key+`"}`)
	if sub.URL != "" || !sub.Poll || sub.Status != "Subscribed" {
		t.Errorf("subscribe: got %+v, want one that is read by poll", sub)
	}
	ids := []string{"e1", "e2", "e3"}
	for i, id := range ids {
		e, err := events.New("order.created", map[string]any{"n": i, "text": "<ü>"})
		if err == nil {
			e.ID = id
			err = h.d.Publish(t.Context(), e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	poll := func(body string) polled {
		t.Helper()
		a := h.post("poll", body)
		if a.status != http.StatusOK {
			t.Fatalf("poll %s: got %d %s, want 200", body, a.status, a.body)
		}
		return decode[polled](t, a)
	}
	got := poll(`{"id":"` + id1 + `","max":2}`)
	if len(got.Data) != 2 || !got.More || got.Data[0].EventID != "e1" || got.Data[1].EventID != "e2" ||
		got.Data[0].EventType != "order.created" || got.Data[0].Attempt != 1 ||
		got.Data[0].Time == "" {
		t.Fatalf("the first poll: got %+v, want e1, e2, and more", got)
	}
	header := make(http.Header)
	for _, line := range got.Data[0].Headers {
		header.Add(line.Name, line.Value)
	}
	if err := (signing.Verifier{Keys: []signing.Secret{key}}).Verify(header,
		[]byte(*got.Data[0].Body)); err != nil || header.Get("Content-Type") != "application/json" {
		t.Errorf("the delivery does not verify: %v, %v", err, header)
	}
	a := h.post("deliveries", `{"webhook_id":"`+id1+`"}`)
	if n := strings.Count(a.body, `"wait":"poll"`); n != 3 {
		t.Errorf("deliveries: got %s, want 3 that wait for a poll", a.body)
	}
	next, _ := json.Marshal(map[string]any{"id": id1, "cursor": got.Cursor, "wait_seconds": 20})
	got = poll(string(next))
	if len(got.Data) != 1 || got.More || got.Data[0].EventID != "e3" {
		t.Errorf("the second poll: got %+v, want e3 alone", got)
	}
	next, _ = json.Marshal(map[string]any{"id": id1, "cursor": got.Cursor, "max": nil})
	if got = poll(string(next)); len(got.Data) != 0 || got.Cursor != "" {
		t.Errorf("the last poll: got %+v, want nothing", got)
	}
	a = h.post("attempts", `{"webhook_id":"`+id1+`","event_id":"e1"}`)
	if !strings.Contains(a.body, `"number":1`) || !strings.Contains(a.body, `"status":200`) {
		t.Errorf("attempts: got %s, want one that succeeded", a.body)
	}

	if got := h.must("update", `{"id":"`+id1+`","url":"https://a.example/"}`); got.Poll ||
		got.URL != "https://a.example/" {
		t.Errorf("update to a url: got %+v", got)
	}
	if got := h.must("update", `{"id":"`+id1+`","poll":true}`); !got.Poll || got.URL != "" {
		t.Errorf("update to poll: got %+v", got)
	}
	for _, tt := range []struct{ endpoint, body, want string }{
		{"subscribe", `{"poll":true,"url":"https://a.example/"}`, "poll is given beside a url"},
		{"update", `{"id":"` + id1 + `","poll":true,"url":"https://a.example/"}`,
			"poll is given beside a url"},
		{"subscribe", `{"poll":false}`, "url is missing"},
		{"subscribe", `{"poll":"yes","url":""}`, "poll is a string"},
		{"poll", `{"id":"` + id1 + `","max":101}`, "max is out of bounds"},
		{"poll", `{"id":"` + id1 + `","wait_seconds":21}`, "wait_seconds is out of bounds"},
		{"poll", `{"id":"` + id1 + `","cursor":"x"}`, "cursor is not a cursor of a poll"},
		{"ping", `{"id":"` + id1 + `"}`, "id names a webhook without a url"},
	} {
		a := h.post(tt.endpoint, tt.body)
		if a.status != http.StatusBadRequest || !strings.Contains(message(t, a), tt.want) {
			t.Errorf("%s %s: got %d %s, want a 400 with %q", tt.endpoint, tt.body, a.status, a.body,
				tt.want)
		}
	}
	if a := h.post("poll", `{"id":"`+id1+`"}`, "X-Tenant", "other"); a.status != http.StatusNotFound {
		t.Errorf("another tenant's poll: got %d %s, want 404", a.status, a.body)
	}
}

// TestPollLater has events for later, and events that are too late, in no answer, and says of each
// what it waits for and how it has ended.
func TestPollLater(t *testing.T) {
	h := newHost(t, config{types: &dispatcher.Options{AllowPull: true}})
	h.must("subscribe", `{"id":"`+id1+`","poll":true}`)
	for id, change := range map[string]func(*events.Event){
		"later": func(e *events.Event) { e.NotBefore = time.Now().Add(time.Hour) },
		"stale": func(e *events.Event) { e.ExpiresAt = time.Now().Add(-time.Hour) },
		"now": func(e *events.Event) {
			e.NotBefore, e.ExpiresAt = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		},
	} {
		e, err := events.New("order.created", 1)
		if err == nil {
			e.ID = id
			change(&e)
			err = h.d.Publish(t.Context(), e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got := decode[polled](t, h.post("poll", `{"id":"`+id1+`"}`))
	if len(got.Data) != 1 || got.Data[0].EventID != "now" || got.More {
		t.Errorf("poll: got %+v, want what is for now alone", got)
	}
	for id, want := range map[string]string{
		"later": `"state":"pending"`, "now": `"wait":"poll"`, "stale": `"last_error":"expired"`,
	} {
		a := h.post("deliveries", `{"webhook_id":"`+id1+`","event_id":"`+id+`"}`)
		if !strings.Contains(a.body, want) {
			t.Errorf("deliveries of %s: got %s, want %s in it", id, a.body, want)
		}
	}
}

// TestPollIsForHostsThatAllowIt has clients ask for it elsewhere.
func TestPollIsForHostsThatAllowIt(t *testing.T) {
	h := newHost(t, config{})
	if a := h.post("subscribe", `{"poll":true}`); a.status != http.StatusBadRequest {
		t.Errorf("subscribe: got %d %s, want a 400", a.status, a.body)
	}
	h.must("subscribe", example)
	for _, tt := range []struct{ endpoint, body string }{
		{"update", `{"id":"` + id1 + `","poll":true}`}, {"poll", `{"id":"` + id1 + `"}`},
		{"verify", `{"id":"` + id1 + `"}`},
	} {
		if a := h.post(tt.endpoint, tt.body); a.status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s, want a 400", tt.endpoint, a.status, a.body)
		}
	}
}

// TestVerify has an endpoint that does not agree at first.
func TestVerify(t *testing.T) {
	agrees := false
	h := newHost(t, config{types: &dispatcher.Options{
		Verify: dispatcher.Verification{Method: dispatcher.VerifyChallenge},
		Transport: endpoint(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			answer := "thanks"
			if challenge, ok := signing.Challenge(body); ok && agrees {
				answer = `{"challenge":"` + challenge + `"}`
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(answer))}, err
		}),
	}})
	if got := h.must("subscribe", example); got.Status != "Unverified" || got.VerifiedAt != nil {
		t.Errorf("subscribe: got %+v, want Unverified", got)
	}
	a := h.post("verify", `{"id":"`+id1+`"}`)
	if a.status != http.StatusOK || !strings.Contains(a.body, `"error_class":"response"`) ||
		!strings.Contains(a.body, "the answer is not the challenge") {
		t.Errorf("verify: got %d %s, want a 200 with what is wrong", a.status, a.body)
	}
	if got := h.must("update", `{"id":"`+id1+`","status":"Subscribed"}`); got.Status != "Unverified" {
		t.Errorf("update of the status: got %q, want Unverified", got.Status)
	}
	if a := h.post("list", `{"page_size":5,"status":"Unverified"}`); !strings.Contains(a.body, id1) {
		t.Errorf("list: got %s, want it", a.body)
	}
	agrees = true
	if a := h.post("verify", `{"id":"`+id1+`"}`); a.status != http.StatusOK ||
		strings.Contains(a.body, "error") {
		t.Errorf("verify: got %d %s, want a 200 without an error", a.status, a.body)
	}
	if got := h.must("info", `{"id":"`+id1+`"}`); got.Status != "Subscribed" || got.VerifiedAt == nil {
		t.Errorf("info: got %+v, want Subscribed, and since when", got)
	}
	if got := h.must("update", `{"id":"`+id1+`","url":"https://b.example/"}`); got.Status !=
		"Unverified" || got.VerifiedAt != nil {
		t.Errorf("update of the url: got %+v, want Unverified", got)
	}
	if a := h.post("verify", `{"id":"`+id1+`"}`, "X-Tenant", "other"); a.status !=
		http.StatusNotFound {
		t.Errorf("another tenant's: got %d %s, want 404", a.status, a.body)
	}
}

// TestGranted has an endpoint agree later, by the address in the handshake.
func TestGranted(t *testing.T) {
	var address string
	h := newHost(t, config{types: &dispatcher.Options{
		Verify: dispatcher.Verification{
			Method: dispatcher.VerifyHandshake, Origin: "events.example.com",
			Callback: "https://app.example/granted", CallbackKey: signing.NewSecret(),
		},
		Transport: endpoint(func(r *http.Request) (*http.Response, error) {
			address = r.Header.Get("WebHook-Request-Callback")
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}),
	}})
	h.must("subscribe", example)
	if a := h.post("verify", `{"id":"`+id1+`"}`); a.status != http.StatusOK {
		t.Fatalf("verify: got %d %s, want 200", a.status, a.body)
	}
	granted := httpapi.Granted(h.d)
	call := func(method, query string) (status int, body string) {
		r := httptest.NewRequest(method, "/granted?"+query, nil)
		r.Header.Set("WebHook-Allowed-Rate", "120")
		w := httptest.NewRecorder()
		granted.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, query string
		want          int
	}{
		{http.MethodGet, "", 404}, {http.MethodGet, "id=" + id1 + "&key=AAAA", 404},
		{http.MethodGet, "id=x&key=" + u.Query().Get("key"), 404},
		{http.MethodPut, u.RawQuery, 405}, {http.MethodGet, u.RawQuery, 200},
		{http.MethodPost, u.RawQuery, 200},
	} {
		if status, body := call(tt.method, tt.query); status != tt.want {
			t.Errorf("%s ?%s: got %d %s, want %d", tt.method, tt.query, status, body, tt.want)
		}
	}
	if got := h.stored(id1); got.Status != store.Subscribed || got.AllowedRate != 2 {
		t.Errorf("got %q with the rate %v, want Subscribed with 2", got.Status, got.AllowedRate)
	}
	if got := h.must("info", `{"id":"`+id1+`"}`); got.AllowedRate != 2 {
		t.Errorf("over HTTP: got the allowed rate %v, want 2", got.AllowedRate)
	}
}
