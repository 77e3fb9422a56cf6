package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/httpapi/internal/apitest"
)

// FuzzBodies sends bodies to a host without webhooks, and compares what is taken with what
// encoding/json makes of it: where there is nothing to find, a 404 says that the body was taken.
func FuzzBodies(f *testing.F) {
	for i := range endpoints {
		for _, body := range []string{
			``, `{}`, `null`, `{"id":"` + id1 + `"}`, `{"id":"` + id1 + `","id":"x"}`,
			`{"cursor":"n-1-1","page_size":10}`, `{"page_size":1.0}`,
			`{"id":"` + id1 +
				`","url":"https://e.example/","name":"\ud83d\ude00 \\ud83d","events":["a.*"],"headers":{"X-A":"1"},"signature_key":"k","status":"Subscribed"}`,
			`{"id":"` + id1 + `","headers":{"A":"1","A":"2"},"events":[null]}`,
			`{"id":null,"signatureKey":null,"signature_key":""}`,
			"{\"id\":\"" + id1 + "\",\"name\":\"\xff\"}", `{"id":"` + id1 + `","name":"\udc00"}`,
			`{"ID":"` + id1 + `"}`, `{"id":"` + id1 + `"}{}`,
			`{"id":"` + id1 + `","url":[[[{"a":1,"a":2}]]]}`, strings.Repeat(`[`, 100),
			`{"id":"` + id1 + `","signature_key":"k","overlap_seconds":0}`,
			`{"id":"` + id1 + `","overlap_seconds":-1}`,
			`{"webhook_id":"` + id1 +
				`","event_id":"e-1","event_type":"a.b","state":"dead","since":"2026-03-01T09:00:00.5+01:00","until":null}`,
			`{"state":["dead","pending"],"count":false,"page_size":7}`, `{"state":["alive"]}`,
			`{"state":"","dry_run":true}`, `{"until":"yesterday"}`, `{"state":"dead","dry_run":true}`,
			`{"text":"a","status":["Paused",""],"page_size":1}`, `{"status":[""],"event_type":"a"}`,
			`{"text":"a","status":"Paused","event_type":"a.b","page_size":1}`, `{"state":[""]}`,
			`{"class":"dns","status":"4xx","key":"a\u00a0b"}`, `{"class":"dns:","status":404}`,
			`{"state":"dead","status":99,"key":"\u0085"}`, `{"status":"4XX"}`, `{"status":"404"}`,
			`{"resolution":"hour"}`, `{"resolution":"day"}`, `{"id":"","resolution":null}`,
			`{"state":"dead","page_size":1,"dry_run":true}`, `{"state":"dead","page_size":1}`,
		} {
			f.Add(uint8(i), []byte(body))
		}
	}
	handlerOf := func(t testing.TB) http.Handler {
		handler, err := httpapi.Handler(newDispatcher(t), httpapi.NoAuth, nil)
		if err != nil {
			t.Fatal(err)
		}
		return handler
	}
	empty := handlerOf(f) // for all that make no webhook
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		if len(body) > 64<<10 {
			t.Skip("a matter of TestTooLarge")
		}
		endpoint, handler := endpoints[int(which)%len(endpoints)], empty
		if endpoint == "subscribe" {
			handler = handlerOf(t)
		}
		r := httptest.NewRequest("POST", "/webhooks."+endpoint, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		apitest.Record(t, handler).ServeHTTP(w, r)
		checkResponse(t, w)

		well := wellFormed(body) && wellTyped(endpoint, body) || len(body) == 0 &&
			slices.Contains([]string{"list", "figures", "events", "deliveries", "test_filter"}, endpoint)
		taken := w.Code != 400
		switch {
		case taken && !well:
			t.Errorf("%s took %q: %d %s", endpoint, body, w.Code, w.Body)
		case taken || !well:
		case endpoint == "subscribe", bytes.Contains(body, []byte("cursor")):
			// the dispatcher or the store may have refused what is well-formed
		case bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > 16:
			// perhaps nested too deep, in a field that is ignored
		default:
			t.Errorf("%s refused %q: %d %s", endpoint, body, w.Code, w.Body)
		}
	})
}

func checkResponse(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var response map[string]any
	err := json.Unmarshal(w.Body.Bytes(), &response)
	_, failed := response["message"].(string)
	if err != nil || failed != (w.Code != 200) || !slices.Contains([]int{200, 400, 404}, w.Code) {
		t.Errorf("got %d %s, want 200 with JSON, or 400 or 404 with a message", w.Code, w.Body)
	}
}

var (
	escapes    = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|.)`)
	surrogates = regexp.MustCompile(`^(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*$`)
	jsonString = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	words      = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	types      = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	states     = regexp.MustCompile(`^(pending|delivered|dead|canceled)$`)
	statuses   = regexp.MustCompile(`^(Subscribed|Paused|Unsubscribed)$`)
	classes    = regexp.MustCompile(
		`^(blocked_address|dns|connect|tls|timeout|http_status|response|canceled|sender)$`)
	ranges   = regexp.MustCompile(`^[1-9](xx|[0-9][0-9])$`)
	controls = regexp.MustCompile(`\p{Cc}`)
	uuids    = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// wellFormed says whether a body is JSON in valid UTF-8 in which nothing is given twice and no
// character is half: by other means than the package's.
func wellFormed(body []byte) bool {
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if !utf8.Valid(body) || !json.Valid(body) || dec.Decode(&v) != nil {
		return false
	}
	colons := bytes.Count(jsonString.ReplaceAll(body, nil), []byte(":"))
	return colons == members(v) && surrogates.MatchString(adjacentSurrogates(body))
}

// members counts the members of all objects in v.
func members(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			n += members(item)
		}
	case map[string]any:
		for _, item := range v {
			n += 1 + members(item)
		}
	}
	return n
}

// adjacentSurrogates returns the surrogate escapes of a body, with something between those that
// don't touch.
func adjacentSurrogates(body []byte) string {
	var b strings.Builder
	end := -1
	for _, at := range escapes.FindAllIndex(body, -1) {
		escape := strings.ToLower(string(body[at[0]:at[1]]))
		if !strings.HasPrefix(escape, `\ud`) || escape[3] < '8' {
			continue
		}
		if high := escape[3] <= 'b'; !high && at[0] != end {
			b.WriteString("lone ")
		}
		b.WriteString(escape)
		end = at[1]
	}
	return b.String()
}

// wellTyped says whether a well-formed body has the fields of the endpoint, of the right types.
func wellTyped(endpoint string, body []byte) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return false
	}
	_, snake := fields["signature_key"]
	_, camel := fields["signatureKey"]
	if snake && camel {
		return false
	}
	for _, name := range needed(endpoint) {
		if _, ok := fields[name]; !ok {
			return false
		}
	}
	nothing := []string{"", "null", `""`, "[]"}
	has := func(name string) bool {
		return !slices.Contains(nothing, strings.Join(strings.Fields(string(fields[name])), ""))
	}
	paged := has("page_size") || len(fields["cursor"]) > 0 && string(fields["cursor"]) != "null"
	switch {
	case endpoint == "replay" && (!slices.ContainsFunc(naming, has) ||
		paged && string(fields["dry_run"]) == "true"):
		return false
	case endpoint == "list" && !paged && (has("status") || has("text") || has("event_type")):
		return false
	}
	if _, url := fields["url"]; url && string(fields["poll"]) == "true" {
		return false
	}
	for name, raw := range fields {
		var text *string
		isText := json.Unmarshal(raw, &text) == nil
		ok := false
		switch key := endpoint + " " + name; key {
		case "update id", "unsubscribe id", "info id", "rotate id", "ping id", "stats id", "delete id",
			"pause id", "resume id", "verify id", "poll id",
			"attempts webhook_id", "redeliver webhook_id":
			ok = isText && text != nil && uuids.MatchString(*text)
		case "subscribe id", "figures id", "deliveries webhook_id", "replay webhook_id":
			ok = isText && (text == nil || *text == "" || uuids.MatchString(*text))
		case "attempts event_id", "redeliver event_id", "event event_id":
			ok = isText && text != nil && words.MatchString(*text)
		case "deliveries event_id", "replay event_id":
			ok = isText && (text == nil || *text == "" || words.MatchString(*text))
		case "list event_type", "deliveries event_type", "replay event_type":
			ok = isText && (text == nil || *text == "" || len(*text) <= 128 && types.MatchString(*text))
		case "deliveries since", "deliveries until", "replay since", "replay until":
			ok = isText && (text == nil || *text == "" || isTime(*text))
		case "deliveries state", "replay state", "list status":
			words := states
			if name == "status" {
				words = statuses
			}
			var list []*string
			ok = isText && (text == nil || *text == "" || words.MatchString(*text)) ||
				json.Unmarshal(raw, &list) == nil && !slices.ContainsFunc(list, func(s *string) bool {
					return s == nil || !words.MatchString(*s)
				})
		case "list text":
			ok = isText && (text == nil || len(*text) <= 2048)
		case "deliveries class", "replay class":
			ok = isText && (text == nil || *text == "" || classes.MatchString(*text))
		case "deliveries status", "replay status":
			var n int
			ok = isText && (text == nil || *text == "" || ranges.MatchString(*text)) ||
				json.Unmarshal(raw, &n) == nil && n >= 100 && n <= 999
		case "deliveries key", "replay key":
			ok = isText && (text == nil || len(*text) <= 256 && !controls.MatchString(*text))
		case "figures resolution":
			ok = isText && (text == nil || slices.Contains([]string{"", "minute", "hour"}, *text))
		case "poll max", "poll wait_seconds":
			bounds := map[string][2]int{"max": {1, 100}, "wait_seconds": {0, 20}}[name]
			var n *int
			ok = json.Unmarshal(raw, &n) == nil && (n == nil || *n >= bounds[0] && *n <= bounds[1])
		case "deliveries count", "replay dry_run", "subscribe poll", "update poll":
			ok = json.Unmarshal(raw, new(*bool)) == nil
		case "rotate overlap_seconds":
			var n *int
			ok = json.Unmarshal(raw, &n) == nil && (n == nil || *n >= 0 && *n <= 30*24*3600)
		case "subscribe url":
			ok = isText && text != nil && *text != ""
		case "subscribe status", "unsubscribe url":
			ok = true
		case "update url", "update status", "subscribe name", "update name", "list cursor",
			"deliveries cursor", "replay cursor", "event cursor", "poll cursor",
			"update version", "rotate version", "ping event_type",
			"subscribe signature_key", "update signature_key", "rotate signature_key",
			"subscribe signatureKey", "update signatureKey", "rotate signatureKey":
			ok = isText
		case "subscribe events", "update events":
			var events []*string
			ok = json.Unmarshal(raw, &events) == nil && !slices.Contains(events, nil)
		case "subscribe headers", "update headers":
			var headers map[string]*string
			ok = json.Unmarshal(raw, &headers) == nil
			for _, value := range headers {
				ok = ok && value != nil
			}
		case "list page_size", "deliveries page_size", "replay page_size":
			var size *int
			ok = json.Unmarshal(raw, &size) == nil && (size == nil || *size >= 1 && *size <= 1000)
		}
		if !ok {
			return false
		}
	}
	return true
}

// naming are the fields of which a replay needs one.
var naming = []string{"webhook_id", "event_id", "state", "since", "until"}

// needed lists the fields without which an endpoint takes nothing, but for what the dispatcher
// judges.
func needed(endpoint string) []string {
	switch endpoint {
	case "subscribe", "list", "figures", "events", "deliveries", "replay",
		"test_filter":
		return nil
	case "event":
		return []string{"event_id"}
	case "attempts", "redeliver":
		return []string{"webhook_id", "event_id"}
	default:
		return []string{"id"}
	}
}

// isTime says whether s is a time as RFC 3339 writes it: one that reads the same when its fraction
// and offset are cut off.
func isTime(s string) bool {
	t, err := time.Parse(time.RFC3339, s)
	return err == nil && strings.HasPrefix(s, t.Format("2006-01-02T15:04:05")) &&
		!strings.Contains(s, ",")
}
