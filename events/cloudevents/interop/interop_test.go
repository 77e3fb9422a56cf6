package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// delivered is what a receiver has read of a request by the SDK.
type delivered struct {
	event *event.Event
	mode  binding.Encoding
	err   error
}

// receiver is an HTTP server that verifies a delivery and has the SDK read it.
func receiver(t *testing.T, key signing.Secret) (address string, got <-chan delivered) {
	t.Helper()
	all := make(chan delivered, 16)
	verifier := signing.Verifier{Keys: []signing.Secret{key}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verifier.Verify(r.Header, body)
		}
		if err != nil {
			all <- delivered{err: err}
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		m := cehttp.NewMessageFromHttpRequest(r)
		d := delivered{mode: m.ReadEncoding()}
		d.event, d.err = binding.ToEvent(context.Background(), m)
		all <- d
	}))
	t.Cleanup(server.Close)
	return server.URL, all
}

// hostile are events with what the identity of an event may hold and a header or a JSON text may
// not, or not as it stands.
func hostile() []events.Event {
	var all []events.Event
	at := time.Now().Truncate(time.Millisecond) // a webhook gets nothing that is older than itself
	for _, id := range []string{"evt_1", "-", "_", strings.Repeat("x", 128), "null", "1"} {
		all = append(all, events.Event{ID: id, Type: "order.paid", Time: at, Payload: []byte(`{}`)})
	}
	for i, eventType := range []string{"Push Hook", "repo:push", "orders/create", "a-b_c.D",
		strings.Repeat("t", 128), "com.example.100"} {
		all = append(all, events.Event{ID: "type-" + string(rune('a'+i)), Type: eventType, Time: at,
			Payload: []byte(`[1]`)})
	}
	for i, key := range []string{"order 7", `"quoted"`, "100%", "%41", "a%20b", "größe €", "🔑",
		"ce-id: forged", "\\", "<&>", " blanks ", strings.Repeat("ü", 128)} {
		all = append(all, events.Event{ID: "key-" + string(rune('a'+i)), Type: "t", Key: key, Time: at,
			Payload: []byte(`"text"`)})
	}
	for i, payload := range []string{`null`, `true`, `1.50`, `{"a":12345678901234567890}`,
		`"\u2028<script>"`, `[]`, `{"specversion":"9","id":"forged"}`, `{"é":"\ud83d\udd11"}`} {
		all = append(all, events.Event{ID: "payload-" + string(rune('a'+i)), Type: "t", Time: at,
			Payload: json.RawMessage(payload)})
	}
	for i, when := range []int64{at.UnixMilli() + 1, 253402300799999} {
		all = append(all, events.Event{ID: "time-" + string(rune('a'+i)), Type: "t",
			Time: time.UnixMilli(when), Payload: []byte(`0`)})
	}
	return all
}

// unescaped is what the value of a header means (HTTP binding, 3.1.3.2). The SDK returns headers as
// they stand.
func unescaped(t *testing.T, mode binding.Encoding, value string) string {
	t.Helper()
	if mode != binding.EncodingBinary {
		return value
	}
	text, err := url.PathUnescape(value)
	if err != nil {
		t.Errorf("the header %q: %v", value, err)
	}
	return text
}

func TestSDKReadsDeliveries(t *testing.T) {
	const source, tenant = "https://shop.example/a%20b?c=d#e", `a "tenant" of 100 % and Ärzten`
	for _, tt := range []struct {
		mode     cloudevents.Mode
		encoding binding.Encoding
	}{
		{cloudevents.Structured, binding.EncodingStructured},
		{cloudevents.Binary, binding.EncodingBinary},
	} {
		t.Run(tt.encoding.String(), func(t *testing.T) {
			key := signing.NewSecret()
			address, got := receiver(t, key)
			d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
				AllowLoopback:   true,
				Logger:          slog.New(slog.DiscardHandler),
				PerSubscription: 1, // in the order in which they are published
				CloudEvents: func(sub store.Subscription) cloudevents.Format {
					return cloudevents.Format{Mode: tt.mode, Source: source,
						Extensions: map[string]string{"tenant": sub.Tenant}}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Subscribe(t.Context(), store.Subscription{Tenant: tenant, URL: address,
				Secrets: []signing.Secret{key}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- d.Run(ctx) }()
			defer func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			for _, e := range hostile() {
				e.Tenant = tenant
				if err := d.Publish(t.Context(), e); err != nil {
					t.Fatal(err)
				}
				compare(t, tt.encoding, &e, source, receive(t, got))
			}
		})
	}
}

func receive(t *testing.T, from <-chan delivered) delivered {
	t.Helper()
	select {
	case d := <-from:
		if d.err != nil {
			t.Fatal(d.err)
		}
		return d
	case <-time.After(time.Minute):
		t.Fatal("nothing was delivered within a minute")
		return delivered{}
	}
}

// compare holds what the SDK has read to what was published.
func compare(t *testing.T, mode binding.Encoding, e *events.Event, source string, got delivered) {
	t.Helper()
	g := got.event
	if err := g.Validate(); err != nil || got.mode != mode || g.SpecVersion() != "1.0" {
		t.Errorf("%s: %v, in the mode %s", e.ID, err, got.mode)
	}
	tenant, _ := g.Extensions()["tenant"].(string)
	for _, attribute := range []struct{ name, got, want string }{
		{"id", unescaped(t, mode, g.ID()), e.ID},
		{"source", unescaped(t, mode, g.Source()), source},
		{"type", unescaped(t, mode, g.Type()), e.Type},
		{"subject", unescaped(t, mode, g.Subject()), e.Key},
		{"tenant", unescaped(t, mode, tenant), e.Tenant},
		{"datacontenttype", g.DataContentType(), "application/json"},
		{"time", g.Time().UTC().String(), e.Time.UTC().String()},
		{"data", string(g.Data()), string(e.Payload)},
	} {
		if attribute.got != attribute.want {
			t.Errorf("%s: the SDK reads %s as %q, want %q", e.ID, attribute.name, attribute.got,
				attribute.want)
		}
	}
}
