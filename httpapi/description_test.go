package httpapi_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

// What would make the description one that no tool can read is refused when the host starts, with
// the field that is wrong.
func TestDescriptionOptions(t *testing.T) {
	scheme := func(name, text string) httpapi.Options {
		return httpapi.Options{Description: httpapi.Description{
			Security: map[string]json.RawMessage{name: json.RawMessage(text)},
		}}
	}
	typed := func(schema string) []events.Type {
		return []events.Type{{Name: "order.created", Schema: json.RawMessage(schema)}}
	}
	const bearer = `{"type":"http","scheme":"bearer"}`
	for _, tt := range []struct {
		api   httpapi.Options
		types []events.Type
		field string // "": no error
	}{
		{api: scheme("bearer", bearer)},
		{api: scheme("my.own_scheme-2", `{"type":"mutualTLS"}`)},
		{api: scheme("", bearer), field: `Description.Security[""]`},
		{api: scheme("a b", bearer), field: `Description.Security["a b"]`},
		{api: scheme("bearer", ``), field: `Description.Security["bearer"]`},
		{api: scheme("bearer", `"http"`), field: `Description.Security["bearer"]`},
		{api: scheme("bearer", `{}`), field: `Description.Security["bearer"]`},
		{api: scheme("bearer", `{"type":"https"}`), field: `Description.Security["bearer"]`},
		{types: typed(`true`)},
		{types: typed(`{"$defs":{"line":{}}}`)},
		{types: typed(`[]`), field: "d"},
		{types: typed(`{"$defs":{"a b":{}}}`), field: "d"},
	} {
		d, err := dispatcher.New(memstore.New(), &dispatcher.Options{EventTypes: tt.types})
		if err != nil {
			t.Fatal(err)
		}
		_, err = httpapi.Handler(d, httpapi.NoAuth, &tt.api)
		var invalid *events.InvalidError
		errors.As(err, &invalid)
		got := "" // the field
		if invalid != nil {
			got = invalid.Field
		}
		if got != tt.field || (err == nil) != (tt.field == "") {
			t.Errorf("%s %s: got %v, want an error of %q", tt.api.Description.Security, tt.types, err,
				tt.field)
		}
	}
}
