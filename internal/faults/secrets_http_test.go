package faults_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// useAPI calls all endpoints of the API, well and badly.
func (c *cage) useAPI(t *testing.T) {
	t.Helper()
	for _, url := range c.urls {
		hook, _ := json.Marshal(map[string]any{
			"url": url + "/hook?token=" + queryCanary, "headers": map[string]string{"X-Token": headerCanary},
			"signature_key": keyCanary,
		})
		id := c.call(t, "subscribe", string(hook))
		c.call(t, "info", `{"id":"`+id+`"}`)
		c.call(t, "update", `{"id":"`+id+`","signature_key":"`+keyCanary+`"}`)
	}
	c.callPrivate(t, "subscribe",
		`{"url":"`+c.operational(t)+`","events":["webhook.disabled","webhook.exhausted"]}`)
	c.call(t, "list", `{}`)
	good := `"url":"https://example.com/?` + queryCanary + `"`
	for _, bad := range []string{
		`{` + good + `,"signature_key":"whsec_` + keyCanary + `"}`,
		`{` + good + `,"signature_key":"` + keyCanary + strings.Repeat("x", 600) + `"}`,
		`{` + good + `,"signature_key":["` + keyCanary + `"]}`,
		`{` + good + `,"signature_key":"` + keyCanary,
		`{` + good + `,"signature_key":"` + keyCanary + `"} trailing`,
		`{` + good + `,"headers":{"X-A":"` + headerCanary + `\r\n"}}`,
		`{` + good + `,"headers":{"Host":"` + headerCanary + `"}}`,
		`{"url":"http://10.0.0.1/?` + queryCanary + `"}`,
		`{"url":"ftp://example.com/?` + queryCanary + `"}`,
		`{"url":"http://user:` + queryCanary + `@example.com/"}`,
		`{"url":"http://exa mple.com/?` + queryCanary + `"}`,
	} {
		if id := c.call(t, "subscribe", bad); id != "" {
			t.Errorf("subscribe took %s", bad)
		}
	}
}

// operational makes an endpoint for operational events and returns its URL. What it gets is not
// about any one event.
func (c *cage) operational(t *testing.T) (url string) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.private.add("%s %v %s", r.URL, r.Header, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// useOwnerAPI calls the other endpoints, which read and change each webhook, with good and bad
// requests.
func (c *cage) useOwnerAPI(t *testing.T) {
	t.Helper()
	for _, sub := range c.all(t) {
		id := `"id":"` + sub.ID + `"`
		hook := `"webhook_id":"` + sub.ID + `"`
		c.callPrivate(t, "stats", `{`+id+`}`)
		c.callPrivate(t, "ping", `{`+id+`}`)
		for _, d := range c.deliveries(t, sub.ID) {
			event := `"event_id":"` + d.EventID + `"`
			c.callPrivate(t, "attempts", `{`+hook+`,`+event+`}`)
			c.callPrivate(t, "redeliver", `{`+hook+`,`+event+`}`)
		}
		c.callPrivate(t, "replay", `{`+hook+`,"dry_run":true}`)
		c.callPrivate(t, "replay", `{`+hook+`}`)
		c.callPrivate(t, "rotate", `{`+id+`,"signature_key":"whsec_`+keyCanary+`"}`)
		c.callPrivate(t, "rotate", `{`+id+`,"signature_key":"`+keyCanary+`"`)
		c.rotate(t, sub.ID)
		c.callPrivate(t, "ping", `{`+id+`}`)
	}
	c.callPrivate(t, "deliveries", `{"count":true}`)
	c.callPrivate(t, "deliveries", `{"event_id":"`+payloadCanary[:3]+`"}`)
	c.callPrivate(t, "events", `{}`)
	deleted := c.all(t)[0]
	c.callPrivate(t, "delete", `{"id":"`+deleted.ID+`"}`)
	c.callPrivate(t, "rotate", `{"id":"`+deleted.ID+`","signature_key":"`+keyCanary+`"}`)
}

// rotate gives a webhook a key that is made for it, and keeps the answer to itself.
func (c *cage) rotate(t *testing.T, id string) {
	t.Helper()
	var aside sink
	c.callInto(t, &aside, "rotate", `{"id":"`+id+`"}`)
	_, key, _ := strings.Cut(aside.parts[0], `"signature_key":"`)
	key, _, found := strings.Cut(key, `"`)
	if !found || len(key) < 32 {
		t.Fatalf("rotate answered %s, want a key", aside.parts[0])
	}
	c.keys = append(c.keys, key)
}

// call calls an endpoint whose answer is a webhook, or some, and returns the ID if there is one.
func (c *cage) call(t *testing.T, endpoint, body string) (id string) {
	t.Helper()
	return c.callInto(t, &c.owners, endpoint, body)
}

// callPrivate calls an endpoint whose answer has none of the canaries.
func (c *cage) callPrivate(t *testing.T, endpoint, body string) {
	t.Helper()
	c.callInto(t, &c.private, endpoint, body)
}

// callInto calls the API. An answer that is no success has no canary, at any endpoint.
func (c *cage) callInto(t *testing.T, answers *sink, endpoint, body string) (id string) {
	t.Helper()
	res, err := http.Post(c.api.URL+"/webhooks."+endpoint, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		c.private.add("%v %s", res.Header, answer)
		return ""
	}
	answers.add("%v %s", res.Header, answer)
	var hook struct{ ID string }
	json.Unmarshal(answer, &hook)
	return hook.ID
}
