package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
)

func TestBody(t *testing.T) {
	for _, tt := range []struct {
		name    string
		typ     string
		at      time.Time
		payload string
		want    string
	}{
		{"as in the contract", "message.created", time.UnixMilli(1603661094560),
			`{"conversation_id":"c1"}`,
			`{"type":"message.created","timestamp":1603661094560,"payload":{"conversation_id":"c1"}}`},
		{"1970", "a", time.UnixMilli(0), `0`, `{"type":"a","timestamp":0,"payload":0}`},
		{"year 9999", strings.Repeat("a", 128),
			time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), `0`,
			`{"type":"` + strings.Repeat("a", 128) + `","timestamp":253402300799999,"payload":0}`},
		{"finer digits dropped, zone irrelevant", "a", time.Unix(1, 999_999).In(time.FixedZone("", 3600)),
			`0`,
			`{"type":"a","timestamp":1000,"payload":0}`},
		{"white space between tokens goes", "a", time.UnixMilli(1),
			" {\t\"a b\" :\r\n[ 1 , \" x \" ] }\n",
			`{"type":"a","timestamp":1,"payload":{"a b":[1," x "]}}`},
		{"key order and repetition", "a", time.UnixMilli(1), `{"b":1,"a":2,"b":3,"":4}`,
			`{"type":"a","timestamp":1,"payload":{"b":1,"a":2,"b":3,"":4}}`},
		{"number spelling", "a", time.UnixMilli(1),
			`[1.0,1.10,1e2,1E+2,-0,12345678901234567890,1e999,0.1e-7]`,
			`{"type":"a","timestamp":1,"payload":[1.0,1.10,1e2,1E+2,-0,12345678901234567890,1e999,0.1e-7]}`},
		{"no escaping, no unescaping", "a", time.UnixMilli(1),
			"[\"<a>&'\",\"\u2028\u2029\",\"\\u003c\\u2028\\/\\u00e9é🔑\\ud800\x7f\"]",
			"{\"type\":\"a\",\"timestamp\":1,\"payload\":[\"<a>&'\",\"\u2028\u2029\",\"\\u003c\\u2028\\/\\u00e9é🔑\\ud800\x7f\"]}"},
	} {
		e := valid()
		e.Type, e.Time, e.Payload = tt.typ, tt.at, json.RawMessage(tt.payload)
		for range 2 { // the same each time
			got, err := e.Body()
			if err != nil || string(got) != tt.want {
				t.Errorf("%s: Body = %s, %v, want %s", tt.name, got, err, tt.want)
			}
		}
		if string(e.Payload) != tt.payload {
			t.Errorf("%s: Body changed the payload to %s", tt.name, e.Payload)
		}
	}
}

func TestBodyHoldsTypeTimeAndPayloadOnly(t *testing.T) {
	a, b := valid(), valid()
	b.ID, b.Tenant, b.Key = "other", "other", "other"
	bodyA, errA := a.Body()
	bodyB, errB := b.Body()
	if errA != nil || errB != nil || string(bodyA) != string(bodyB) {
		t.Errorf("bodies %s, %v and %s, %v, want the same", bodyA, errA, bodyB, errB)
	}
}

func TestBodyIsTheCallers(t *testing.T) {
	e := valid()
	a, err := e.Body()
	if err != nil {
		t.Fatal(err)
	}
	want := string(a)
	clear(a)
	if b, err := e.Body(); err != nil || string(b) != want {
		t.Errorf("after the first body was overwritten: %s, %v, want %s", b, err, want)
	}
}

func TestBodyAllocatesOnce(t *testing.T) {
	e := valid()
	e.Payload = json.RawMessage(`{"text":"` + strings.Repeat("x", 512) + `"}`)
	got := testing.AllocsPerRun(100, func() {
		if _, err := e.Body(); err != nil {
			t.Fatal(err)
		}
	})
	if got > 2 { // one; encoding/json pools its scanner, which may be gone
		t.Errorf("Body: %v allocations, want at most 2", got)
	}
}

func BenchmarkBody(b *testing.B) {
	e := valid()
	e.Payload = json.RawMessage(`{"conversation_id":"c1","message":{"content":{"text":"` +
		strings.Repeat("x", 400) + `"}}}`)
	b.SetBytes(int64(len(e.Payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Body(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	raw := json.RawMessage(`{"conversation_id":"c1","message":{"content":{"text":"` +
		strings.Repeat("x", 400) + `"}}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.New("message.created", raw); err != nil {
			b.Fatal(err)
		}
	}
}
