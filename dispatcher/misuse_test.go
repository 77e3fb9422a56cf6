package dispatcher_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// A host that ignored the error of Open has a nil *boltstore.Store, which is no nil store.Store.
func TestNewWithoutAStore(t *testing.T) {
	var bolt *boltstore.Store
	for name, s := range map[string]store.Store{"nil": nil, "a nil *boltstore.Store": bolt} {
		if _, err := dispatcher.New(s, nil); err == nil ||
			!strings.Contains(err.Error(), "needs a store.Store") {
			t.Errorf("%s: got error %v, want that a store is needed", name, err)
		}
	}
}

func TestUpdateWithoutAChange(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := d.Subscribe(t.Context(), store.Subscription{URL: "https://example.com/hook"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Update(t.Context(), sub.ID, nil); err == nil ||
		!strings.Contains(err.Error(), "change is nil") {
		t.Errorf("got error %v, want that there is no change", err)
	}
}

// Of several events, the error says which one the store has refused.
func TestPublishNamesTheEvent(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	good, err := events.New("order.created", 17)
	if err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.ID = ""
	for want, evs := range map[string][]events.Event{
		"event 2 of 3: ":   {good, bad, bad},
		"enqueue: id is e": {bad},
	} {
		var invalid *events.InvalidError
		if err := d.Publish(t.Context(), evs...); !errors.As(err, &invalid) || invalid.Field != "id" ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one of the field id that has %q", err, want)
		}
	}
}
