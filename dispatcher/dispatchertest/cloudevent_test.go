package dispatchertest_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
)

// A receiver reads CloudEvents of both modes as it reads any delivery.
func TestCloudEvents(t *testing.T) {
	for name, mode := range map[string]cloudevents.Mode{
		"structured": cloudevents.Structured, "binary": cloudevents.Binary,
	} {
		t.Run(name, func(t *testing.T) {
			d, receiver := dispatchertest.New(t, &dispatcher.Options{
				CloudEvents: func(store.Subscription) cloudevents.Format {
					return cloudevents.Format{Mode: mode, Source: "/shop"}
				},
			})
			receiver.Subscribe()
			e := events.Event{ID: "evt_1", Type: "Push Hook", Time: time.Now().Truncate(time.Millisecond),
				Payload: []byte(`[1,2]`)}
			if err := d.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			got := receiver.Next()
			if got.ID != e.ID || got.Type != e.Type || !got.Time.Equal(e.Time) ||
				string(got.Payload) != string(e.Payload) {
				t.Errorf("got %+v, want %+v", got, e)
			}
		})
	}
}
