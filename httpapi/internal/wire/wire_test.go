package wire_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

func encode(v any) string {
	var buf bytes.Buffer
	wire.Append(&buf, v)
	return buf.String()
}

// What is empty is [] and {} and never null, and what cannot be said is left out.
func TestEmptyValues(t *testing.T) {
	for _, test := range []struct {
		v    any
		want string
	}{
		{wire.View{}.Webhook(&store.Subscription{}),
			`{"id":"","url":"","events":[],"headers":{},"status":"","signed":false,"poll":true}`},
		{wire.View{}.Deliveries(&store.Page[store.Delivery]{}, false),
			`{"data":[],"pagination_data":{"previous_cursor":"","next_cursor":""}}`},
		{wire.View{}.Deliveries(&store.Page[store.Delivery]{}, true),
			`{"data":[],"pagination_data":{"previous_cursor":"","next_cursor":"","total":0}}`},
		{wire.View{}.Attempts(nil), `{"data":[]}`},
		{wire.NewCatalogue(nil), `{"data":[]}`},
		{wire.NewCatalogue([]events.Type{{Name: "a"}}), `{"data":[{"name":"a"}]}`},
		{wire.View{}.Stats(&store.Subscription{}, &dispatcher.SubscriptionStats{}).Hour,
			`{"delivered":0,"failed":0}`},
	} {
		if got := encode(test.v); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// Times have three digits of milliseconds and are in UTC, so that they sort as text; durations are
// rounded to milliseconds.
func TestTimes(t *testing.T) {
	zone := time.FixedZone("", 3600)
	at := time.Date(2026, 3, 1, 9, 0, 0, 500_400_000, zone)
	d := store.Delivery{CreatedAt: at, FinishedAt: at.Add(time.Second)}
	got := encode(wire.View{}.Delivery(&d))
	if !strings.Contains(got, `"created_at":"2026-03-01T08:00:00.500Z"`) ||
		!strings.Contains(got, `"finished_at":"2026-03-01T08:00:01.500Z"`) ||
		strings.Contains(got, "due_at") {
		t.Errorf("got %s", got)
	}
	a := store.Attempt{Duration: 1500 * time.Microsecond}
	if got, want := encode(wire.NewAnswer(&a)), `{"duration_ms":2}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A key is in no answer but those that are made to show it.
func TestKeysAreNotShown(t *testing.T) {
	sub := store.Subscription{Secrets: []signing.Secret{"hunter2", "hunter2-next"},
		Headers: map[string]string{"A": "sealed"}, SealedWith: "k"}
	stats := dispatcher.SubscriptionStats{}
	for _, v := range []any{wire.View{}.Webhook(&sub), wire.View{}.Stats(&sub, &stats)} {
		if got := encode(v); strings.Contains(got, "hunter2") || !strings.Contains(got, `"signed":true`) {
			t.Errorf("got %s, want no key, and that there is one", got)
		}
	}
	if got := encode(wire.View{}.Webhook(&sub)); strings.Contains(got, `"sealed"`) ||
		!strings.Contains(got, `"headers":{}`) {
		t.Errorf("got %s, want no sealed values", got)
	}
	if got, want := encode(wire.NewRotation(&sub)),
		`{"id":"","signature_key":"hunter2-next"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What an endpoint answered may be any bytes; what a response has of it is valid JSON that is not
// escaped for HTML.
func TestEncode(t *testing.T) {
	a := store.Attempt{Status: 500, Response: []byte("<a&b>\xff")}
	if got, want := encode(wire.NewAnswer(&a)),
		`{"status":500,"duration_ms":0,"response":"<a&b>\ufffd"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var buf bytes.Buffer
	if wire.Encode(&buf, 1); buf.String() != "1\n" {
		t.Errorf("got %q, want a newline at the end", buf.String())
	}
}

// A tenant is not told whose anything is; an operator is, also that it is of the tenant "".
func TestTenantIsForTheOperator(t *testing.T) {
	sub, d := store.Subscription{Tenant: "acme"}, store.Delivery{Tenant: "acme"}
	for operator, want := range map[bool]int{false: 0, true: 1} {
		v := wire.View{Operator: operator}
		for _, part := range []any{v.Webhook(&sub), v.Delivery(&d),
			v.Stats(&sub, &dispatcher.SubscriptionStats{}),
			v.Deliveries(&store.Page[store.Delivery]{Items: []store.Delivery{d}}, false)} {
			if got := encode(part); strings.Count(got, `"tenant":"acme"`) != want ||
				strings.Count(got, "acme") != want {
				t.Errorf("for an operator %t: got %s, want the tenant %d times", operator, got, want)
			}
		}
	}
	if got := encode(wire.View{Operator: true}.Webhook(&store.Subscription{})); !strings.Contains(got,
		`"tenant":""`) {
		t.Errorf("got %s, want the tenant without a name", got)
	}
}

// The detail of an attempt is for all who may see the attempt, but for the address that the host
// connected to; one that is sealed is left out.
func TestAttemptDetail(t *testing.T) {
	all := []store.Attempt{
		{Number: 1, Detail: &store.AttemptDetail{
			Request: []store.HeaderField{{Name: "X-Key", Value: store.Masked}}, RequestCut: true,
			RemoteAddress: "10.0.0.7:3128", DNS: 300 * time.Microsecond, FirstByte: 1500 * time.Microsecond,
		}},
		{Number: 2, Detail: &store.AttemptDetail{Sealed: []byte("ciphertext")}},
	}
	const want = `"detail":{"request_headers":[{"name":"X-Key","value":"***"}],"request_truncated":true,` +
		`"answer_headers":[],"dns_ms":0,"first_byte_ms":2`
	for operator, address := range map[bool]string{false: `}`,
		true: `,"remote_address":"10.0.0.7:3128"}`} {
		got := encode(wire.View{Operator: operator}.Attempts(all))
		if !strings.Contains(got, want+address) || strings.Count(got, "detail") != 1 {
			t.Errorf("for an operator %t: got %s, want %s%s", operator, got, want, address)
		}
	}
}
