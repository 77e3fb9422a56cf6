package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

func TestQuickstart(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, &out, "127.0.0.1:0", true); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for text, want := range map[string]int{
		`"status":"Subscribed"`:                 1,
		"answered 500":                          1,
		"answered 200":                          5,
		"attempt 2 of":                          1,
		"message.created":                       2, // two in all, or one that failed and its retry
		"conversation.updated":                  2, // its name and its body
		"before the restart: 1 subscription, 1": 1,
		"after the restart: 1 subscription, 0":  1,
		"order.created":                         2,
	} {
		if got := strings.Count(out.String(), text); got < want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, got, want, &out)
		}
	}
}
