package store_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

func TestUpdated(t *testing.T) {
	const here, there = "https://a.example/", "https://b.example/"
	learned := store.Health{Healthy: true, SlowStart: 2, Latency: time.Second}
	resumed := learned
	resumed.SlowStart = store.MaxSlowStart
	for _, test := range []struct {
		name     string
		was, is  store.Status
		url      string
		want     store.Health
		collects bool
	}{
		{"nothing", store.Subscribed, store.Subscribed, here, learned, true},
		{"another URL", store.Subscribed, store.Subscribed, there, store.Health{}, true},
		{"a pause", store.Subscribed, store.Paused, here, learned, true},
		{"a pause that goes on", store.Paused, store.Paused, here, learned, true},
		{"the end of a pause", store.Paused, store.Subscribed, here, resumed, true},
		{"the end of a pause, at another URL", store.Paused, store.Subscribed, there,
			store.Health{SlowStart: store.MaxSlowStart}, true},
		{"unsubscribing", store.Subscribed, store.Unsubscribed, here, learned, false},
		{"unsubscribing in a pause", store.Paused, store.Unsubscribed, here, learned, false},
		{"subscribing again", store.Unsubscribed, store.Subscribed, here, store.Health{}, true},
		{"subscribing again, paused", store.Unsubscribed, store.Paused, here, store.Health{}, true},
	} {
		was := store.Subscription{URL: here, Status: test.was}
		is := store.Subscription{URL: test.url, Status: test.is}
		if got := learned.Updated(&was, &is); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
		if is.Collects() != test.collects {
			t.Errorf("%s: it collects %t, want %t", test.name, is.Collects(), test.collects)
		}
	}
}
