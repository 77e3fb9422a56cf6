package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/outhook/outhook/events"
)

// Compiler is the Schemas of the dispatcher's Options. Its zero value has the defaults of its
// fields. It is safe for concurrent use.
type Compiler struct {
	// Formats has the keyword format refuse what is not of the format, such as a date-time that is
	// none. If false, it says nothing of a payload, as draft 2020-12 has it.
	Formats bool
}

var _ events.SchemaCompiler = Compiler{}

// Compile implements [events.SchemaCompiler].
func (c Compiler) Compile(t events.Type) (check func(payload json.RawMessage) error, err error) {
	doc, err := validator.UnmarshalJSON(bytes.NewReader(t.Schema))
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	compiler := validator.NewCompiler()
	compiler.DefaultDraft(validator.Draft2020)
	compiler.UseLoader(noLoader{})
	if c.Formats {
		compiler.AssertFormat()
	}
	// A schema is known by an address, against which it resolves its references: one with a path,
	// or a relative reference would be to the schema itself. No server has it.
	const address = "https://schema.invalid/payload"
	if err := compiler.AddResource(address, doc); err != nil {
		return nil, err
	}
	schema, err := compiler.Compile(address)
	if err != nil {
		return nil, err
	}
	return func(payload json.RawMessage) error { return checkPayload(schema, payload) }, nil
}

// noLoader loads nothing: otherwise a schema could name files of the host.
type noLoader struct{}

func (noLoader) Load(address string) (any, error) {
	return nil, fmt.Errorf("nothing is fetched, so a schema can refer to its own parts alone; "+
		"put what %s has into its $defs", address)
}

// checkPayload says which rule of a schema a payload breaks.
func checkPayload(schema *validator.Schema, payload json.RawMessage) error {
	v, err := validator.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return errors.New("it is not JSON") // the error has parts of it
	}
	var invalid *validator.ValidationError
	switch err := schema.Validate(v); {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		return errors.New(ruleOf(invalid))
	}
	return errors.New("it can't be checked")
}

// ruleOf says which rule is broken first, and by the schema's words alone: the validator's own
// text, and its places in the payload, have parts of the payload, which may be anybody's secret.
func ruleOf(e *validator.ValidationError) string {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	place := "#"
	if _, fragment, found := strings.Cut(e.SchemaURL, "#"); found {
		if path, err := url.PathUnescape(fragment); err == nil {
			place += path
		}
	}
	path := strings.Join(slices.Concat([]string{place}, e.ErrorKind.KeywordPath()), "/")
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return fmt.Sprintf("%s wants %s, and it has a value of type %s", path,
			strings.Join(k.Want, " or "), k.Got)
	case *kind.Required:
		return fmt.Sprintf("%s wants %q", path, strings.Join(k.Missing, `", "`))
	}
	return "it breaks the rule " + path
}
