package events_test

import (
	"encoding/json"
	"testing"

	"github.com/outhook/outhook/events"
)

func TestPayloadOf(t *testing.T) {
	for _, payload := range []string{
		`{}`, `0`, `null`, `"x"`, `[1,2]`, `{"a":{"b":"}"}}`,
		`{"type":"a","timestamp":1,"payload":{"type":"b","timestamp":2,"payload":3}}`,
		`"\",\"timestamp\":1,\"payload\":"`,
	} {
		e := valid()
		e.Payload = json.RawMessage(payload)
		body, err := e.Body()
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := events.PayloadOf(body); !ok || string(got) != payload {
			t.Errorf("PayloadOf(%s) = %s, %t, want %s", body, got, ok, payload)
		}
	}
}

func TestPayloadOfAnotherForm(t *testing.T) {
	for _, body := range []string{
		"", "{}", `{"type":"a"}`,
		`{"type":"a","timestamp":1,"payload":}`,
		`{"type":"a","timestamp":1,"payload":1`,
		`{"type":"a","timestamp":,"payload":1}`,
		`{"type":"a","timestamp":1.5,"payload":1}`,
		`{"type":"","timestamp":1,"payload":1}`,
		`{"type":"a\"b","timestamp":1,"payload":1}`,
		`{"type":"a", "timestamp":1,"payload":1}`,
		`{"timestamp":1,"type":"a","payload":1}`,
		` {"type":"a","timestamp":1,"payload":1}`,
	} {
		if got, ok := events.PayloadOf([]byte(body)); ok || got != nil {
			t.Errorf("PayloadOf(%s) = %s, %t, want none", body, got, ok)
		}
	}
}
