package openapi_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/internal/openapi"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// schema is what these tests look at of a schema.
type schema struct {
	Properties map[string]json.RawMessage
	Required   []string
	Enum       []string
}

func operatorSchema(t *testing.T, name string) schema {
	t.Helper()
	var s schema
	raw := describe(t, &openapi.Host{Operator: true}).Components.Schemas[name]
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// Each type of a response has the fields of its schema and no others, also those that are rare; and
// those that are always there are required.
func TestTypesAgree(t *testing.T) {
	for name, v := range map[string]any{
		"webhook": wire.Webhook{}, "pagination": wire.Pagination{}, "delivery": wire.Delivery{},
		"stats": wire.Stats{}, "window": wire.Window{}, "figures": wire.Figures{},
		"hostStats": wire.HostStats{}, "storedEvent": wire.Event{},
		"filterTest":   wire.FilterTest{},
		"eventWebhook": wire.EventWebhook{}, "answer": wire.Answer{}, "attempt": wire.Attempt{},
		"attemptDetail": wire.Detail{}, "eventType": wire.EventType{}, "error": wire.Failure{},
	} {
		var fields, always []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if f.Anonymous {
				continue
			}
			field, omit, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields = append(fields, field)
			if omit == "" {
				always = append(always, field)
			}
		}
		s := operatorSchema(t, name)
		slices.Sort(fields)
		slices.Sort(always)
		slices.Sort(s.Required)
		if got := slices.Sorted(maps.Keys(s.Properties)); !slices.Equal(got, fields) {
			t.Errorf("%s: described with %q, has %q", name, got, fields)
		}
		if !slices.Equal(s.Required, always) {
			t.Errorf("%s: described as having always %q, has %q", name, s.Required, always)
		}
	}
}

// The words that a client must know are those that there are.
func TestWordsAgree(t *testing.T) {
	for name, want := range map[string][]string{
		"errorClass": words(dispatcher.Classes()), "state": words(store.States()),
		"status": words(store.Statuses()),
		"wait": words([]store.Wait{store.WaitDue, store.WaitUnderWay, store.WaitRetry,
			store.WaitNotBefore, store.WaitKey,
			store.WaitRateLimit, store.WaitThrottled, store.WaitBreaker, store.WaitPaused,
			store.WaitUnverified, store.WaitPoll}),
	} {
		if got := operatorSchema(t, name).Enum; !slices.Equal(got, want) {
			t.Errorf("%s: described as %q, want %q", name, got, want)
		}
	}
}

func words[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, word := range all {
		out[i] = string(word)
	}
	return out
}
