package dispatcher_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

func TestAttemptsAreLogged(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var logged bytes.Buffer
		e := newEngine(t, s,
			&dispatcher.Options{Logger: slog.New(
				slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		sub := e.subscribe("https://a.example/hook?token=canary")
		e.answers(func(r request) reply {
			switch r.Attempt {
			case 1:
				return reply{Err: &net.OpError{Op: "dial",
					Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.7:443")),
					Err:  errors.New("canary")}}
			case 2:
				return reply{Status: 503, Body: "canary"}
			}
			return reply{Status: 200, Body: "canary"}
		})
		e.run()
		ev := e.publish("order.created", "canary")
		pass(time.Minute)
		e.stop()
		for _, where := range []string{"canary", "10.0.0.7"} {
			if bytes.Contains(logged.Bytes(), []byte(where)) {
				t.Errorf("%s is in the log:\n%s", where, &logged)
			}
		}
		type record struct {
			Level          string
			EventID        string `json:"event_id"`
			SubscriptionID string `json:"subscription_id"`
			Attempt        int
			Status         int
			Class          dispatcher.Class `json:"error_class"`
			Error          string
		}
		dec := json.NewDecoder(&logged)
		for _, want := range []record{
			{"WARN", ev.ID, sub.ID, 1, 0, dispatcher.ClassConnect, "connect: no connection"},
			{"WARN", ev.ID, sub.ID, 2, 503, dispatcher.ClassHTTPStatus,
				"http_status: 503 Service Unavailable"},
			{"DEBUG", ev.ID, sub.ID, 3, 200, "", ""},
		} {
			var got record
			if err := dec.Decode(&got); err != nil || got != want {
				t.Errorf("record: got %+v, %v, want %+v", got, err, want)
			}
		}
		if dec.More() {
			t.Errorf("there are more records than attempts")
		}
	})
}
