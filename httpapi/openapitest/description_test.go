package openapitest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

// description is what the endpoints serve.
type description struct {
	raw []byte
	doc *openapi3.T
}

// newDescription returns the description as it is served to tenants.
func newDescription(t *testing.T) *description {
	t.Helper()
	return served(t, nil)
}

// newOperatorDescription returns the description as it is served to operators.
func newOperatorDescription(t *testing.T) *description {
	t.Helper()
	return served(t, &httpapi.Options{
		Access: func(*http.Request, string) (httpapi.Access, error) {
			return httpapi.Access{AnyTenant: true}, nil
		},
	})
}

func served(t *testing.T, o *httpapi.Options) *description {
	t.Helper()
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.Handler(d, httpapi.NoAuth, o)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/webhooks.openapi", nil))
	return parse(t, w.Body.Bytes(), true)
}

// strict returns a description by which an object may have the properties that d describes and no
// others. A client must expect others, which later versions may send; a test of this one need not.
func (d *description) strict(t *testing.T) *description {
	t.Helper()
	return parse(t, d.raw, false)
}

// parse reads a description, in which every object that says nothing of other properties gets to
// say whether it may have some. It says so with a keyword that OpenAPI has since 3.1: where there
// is none, the library may fall back on its rules of 3.0, by which null is not just any value.
func parse(t *testing.T, raw []byte, others bool) *description {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	sayOthers(v, others)
	doc, err := openapi3.NewLoader().LoadFromData(marshal(t, v))
	if err != nil {
		t.Fatal(err)
	}
	return &description{raw, doc}
}

func sayOthers(v any, others bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			sayOthers(item, others)
		}
	case map[string]any:
		for _, item := range v {
			sayOthers(item, others)
		}
		if _, has := v["properties"].(map[string]any); has && v["type"] == "object" {
			v["unevaluatedProperties"] = others // which are none where additionalProperties is said
		}
	}
}

// operation returns the method and the operation of item, which has one.
func operation(item *openapi3.PathItem) (string, *openapi3.Operation) {
	if item.Post == nil {
		return http.MethodGet, item.Get
	}
	return http.MethodPost, item.Post
}

// errNotJSON is of a body that is not one JSON value. The library reads the first and doesn't look
// for more.
var errNotJSON = errors.New("the body is not one JSON value")

// checkRequest says what of r is not as the operation of item is described; nil when all is.
func (d *description) checkRequest(r *http.Request, item *openapi3.PathItem) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if len(body) > 0 && !json.Valid(body) {
		return errNotJSON
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return openapi3filter.ValidateRequest(r.Context(), d.input(r, item))
}

// checkResponse says what of a response to the operation of item is not as described; nil when all
// is. The status has to be described by itself: the library lets some pass.
func (d *description) checkResponse(item *openapi3.PathItem, status int, header http.Header,
	body []byte) error {
	method, operation := operation(item)
	if operation.Responses.Status(status) == nil {
		return fmt.Errorf("the status %d is not described", status)
	}
	if !json.Valid(body) {
		return errNotJSON
	}
	r := httptest.NewRequest(method, "/", nil)
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: d.input(r, item), Status: status, Header: header,
	}
	return openapi3filter.ValidateResponse(r.Context(), out.SetBodyBytes(body))
}

func (d *description) input(r *http.Request,
	item *openapi3.PathItem) *openapi3filter.RequestValidationInput {
	method, operation := operation(item)
	return &openapi3filter.RequestValidationInput{
		Request: r,
		Route:   &routers.Route{Spec: d.doc, PathItem: item, Method: method, Operation: operation},
		Options: &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true},
	}
}

func TestDescriptionIsOpenAPI(t *testing.T) {
	for _, d := range []*description{newDescription(t), newOperatorDescription(t)} {
		if err := d.doc.Validate(t.Context(), openapi3.EnableMultiError()); err != nil {
			t.Error(err)
		}
	}
}

// The examples of requests and responses are as the description says they are.
func TestExamples(t *testing.T) {
	d := newDescription(t).strict(t)
	n := 0
	for path, item := range d.doc.Paths.Map() {
		if item.Post == nil {
			continue
		}
		request := item.Post.RequestBody.Value.Content["application/json"].Example
		response := item.Post.Responses.Value("200").Value.Content["application/json"].Example
		if request == nil || response == nil {
			t.Errorf("%s: no example of a request or of a response", path)
			continue
		}
		header := http.Header{"Content-Type": {"application/json"}}
		if err := d.checkRequest(newRequest(http.MethodPost, path, marshal(t, request)),
			item); err != nil {
			t.Errorf("%s: the example of a request: %v", path, err)
		}
		if err := d.checkResponse(item, http.StatusOK, header, marshal(t, response)); err != nil {
			t.Errorf("%s: the example of a response: %v", path, err)
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

// The payloads of Airy's events and of the operational ones are described as package events
// declares them.
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
			t.Errorf("%s: got the summary %q, want %q", declared.Name, described.Summary,
				declared.Description)
		}
		body := described.RequestBody.Content["application/json"].Schema
		ref, _ := body.Properties["payload"]["$ref"].(string)
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
