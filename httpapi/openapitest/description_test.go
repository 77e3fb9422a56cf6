package openapitest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

// description is what the endpoints serve.
type description struct {
	raw   []byte
	model *v3.Document
	validator.Validator
}

// newDescription returns the description as it is served.
func newDescription(t *testing.T) *description {
	t.Helper()
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.Handler(d, httpapi.NoAuth, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks.openapi", nil))
	return parse(t, w.Body.Bytes())
}

func parse(t *testing.T, raw []byte) *description {
	t.Helper()
	doc, err := libopenapi.NewDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return &description{raw, &model.Model, v}
}

// strict returns a description by which an object may have the properties that d describes and no others. A client must
// expect others, which later versions may send; a test of this one need not.
func (d *description) strict(t *testing.T) *description {
	t.Helper()
	var doc any
	if err := json.Unmarshal(d.raw, &doc); err != nil {
		t.Fatal(err)
	}
	closeObjects(doc)
	return parse(t, marshal(t, doc))
}

// closeObjects closes every schema in v that has properties and doesn't say whether there may be others.
func closeObjects(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			closeObjects(item)
		}
	case map[string]any:
		for _, item := range v {
			closeObjects(item)
		}
		_, has := v["properties"].(map[string]any)
		if _, said := v["additionalProperties"]; has && !said && v["type"] == "object" {
			v["additionalProperties"] = false
		}
	}
}

// words puts what a validator found into few words.
func words(found []*errors.ValidationError) string {
	var b strings.Builder
	for _, e := range found {
		b.WriteString(e.Message + ": " + e.Reason)
		for _, s := range e.SchemaValidationErrors {
			b.WriteString("; " + s.FieldPath + " " + s.Reason)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDescriptionIsOpenAPI(t *testing.T) {
	if ok, found := newDescription(t).ValidateDocument(); !ok {
		t.Error(words(found))
	}
}

// The examples of requests and responses are as the description says they are.
func TestExamples(t *testing.T) {
	d := newDescription(t).strict(t)
	n := 0
	for path, item := range d.model.Paths.PathItems.FromOldest() {
		if item.Post == nil {
			continue
		}
		request := item.Post.RequestBody.Content.GetOrZero("application/json").Example
		response := item.Post.Responses.Codes.GetOrZero("200").Content.GetOrZero("application/json").Example
		if request == nil || response == nil {
			t.Errorf("%s: no example of a request or of a response", path)
			continue
		}
		var in, out any
		if err := request.Decode(&in); err != nil {
			t.Fatal(err)
		}
		if err := response.Decode(&out); err != nil {
			t.Fatal(err)
		}
		r := newRequest(http.MethodPost, path, marshal(t, in))
		if ok, found := d.ValidateHttpRequestResponse(r, newResponse(r, http.StatusOK, marshal(t, out))); !ok {
			t.Errorf("%s: %s", path, words(found))
		}
		n++
	}
	if n == 0 {
		t.Error("no examples")
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The payloads of Airy's events and of the operational ones are described as package events declares them.
func TestPayloadSchemas(t *testing.T) {
	var d struct {
		Webhooks map[string]struct {
			Post struct {
				Summary     string
				RequestBody struct {
					Content map[string]struct {
						Schema struct {
							Properties map[string]map[string]any
						}
					}
				}
			}
		}
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(newDescription(t).raw, &d); err != nil {
		t.Fatal(err)
	}
	for _, declared := range append(events.Airy(), events.OperationalTypes()...) {
		var want map[string]any
		text := strings.ReplaceAll(string(declared.Schema), "#/$defs/", "#/components/schemas/")
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		defs, _ := want["$defs"].(map[string]any)
		delete(want, "$defs")
		delete(want, "$schema")
		described := d.Webhooks[declared.Name].Post
		if described.Summary != declared.Description {
			t.Errorf("%s: got the summary %q, want %q", declared.Name, described.Summary, declared.Description)
		}
		ref, _ := described.RequestBody.Content["application/json"].Schema.Properties["payload"]["$ref"].(string)
		got := d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
		if !reflect.DeepEqual(got, any(want)) {
			t.Errorf("%s: got the payload %v\nwant %v", declared.Name, got, want)
		}
		for name, def := range defs {
			if got := d.Components.Schemas[name]; !reflect.DeepEqual(got, def) {
				t.Errorf("%s: got %s %v\nwant %v", declared.Name, name, got, def)
			}
		}
	}
}
