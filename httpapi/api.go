package httpapi

import (
	"encoding/json"
	"log/slog"
	"path"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// api has what the endpoints share. It is immutable, so requests need no lock of this package.
//
// A request goes this way. Each step may end it with a refusal, or with an *events.InvalidError,
// which is a 400:
//
//	limitBody     body.go    how long the body may take
//	checkMethod   serve.go   405
//	auth          the host's 401 or 403 (authorize.go); from here on there is a tenant
//	checkReady    serve.go   409
//	readFields    body.go    415, 413, 408; then strict JSON (parse.go) and known names (fields.go)
//	endpoint.run  webhooks.go, deliveries.go and so on: the fields become arguments (wire….go),
//	              own.go asks whether the webhook is the tenant's, and the Dispatcher is called
//	write         answer.go  200; writeStream (stream.go) what may be large; writeFailure the others
//
// Nothing is kept between two requests. Whether something is the tenant's is decided in own.go, in
// change for what is written, and by the Tenant of a query for what is listed.
//
// An endpoint is an entry in endpoints.go, a method of api, and a type in a wire file for its
// response; openapi.json, the package comment and the README describe it. The module openapitest
// holds the description to what the tests send and get. What of it is the host's, such as the event
// types, is filled in by openapi.go.
type api struct {
	d           *dispatcher.Dispatcher
	auth        Authorizer
	o           Options
	description json.RawMessage // see describe
}

// newAPI checks what Mount and Handler are given. Its error is an *events.InvalidError.
func newAPI(d *dispatcher.Dispatcher, auth Authorizer, o *Options) (*api, error) {
	switch {
	case d == nil:
		return nil, &events.InvalidError{Field: "d", Reason: "is nil; give the dispatcher that delivers"}
	case auth == nil:
		return nil, &events.InvalidError{Field: "auth",
			Reason: "is nil; give an Authorizer, or NoAuth if the host itself authorizes requests"}
	}
	a := &api{d: d, auth: auth, o: o.withDefaults()}
	if err := a.o.validate(); err != nil {
		return nil, err
	}
	// Here, at the host's start, and not when somebody asks for webhooks.events or the description,
	// where nothing could be done but panic: schemas and examples are sent as they are.
	for _, t := range d.EventTypes() {
		if t.Schema != nil && !json.Valid(t.Schema) || t.Example != nil && !json.Valid(t.Example) {
			return nil, &events.InvalidError{Field: "d", Reason: "declares the event type " + t.Name +
				" with a Schema or an Example that is not JSON; correct its EventTypes"}
		}
	}
	var err error
	a.description, err = describe(&a.o, d.EventTypes())
	return a, err
}

// withDefaults returns a copy with all fields set. o may be nil.
func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Ready == nil {
		out.Ready = func() error { return nil }
	}
	if out.Description.Title == "" {
		out.Description.Title = DefaultTitle
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	return out
}

// validate checks the options whose defaults are set.
func (o *Options) validate() error {
	if o.Signing < 0 || o.Signing >= signingEnd {
		return &events.InvalidError{Field: "Signing",
			Reason: "is none of the constants; give SigningOptional, SigningGenerate or SigningRequire"}
	}
	if err := o.validatePrefix(); err != nil {
		return err
	}
	return o.Description.validate()
}

// validatePrefix checks the Prefix. It must be a path that net/http would not redirect to another
// one, and that http.ServeMux takes literally: in a pattern, braces are wildcards.
func (o *Options) validatePrefix() error {
	p := o.Prefix
	reason := ""
	switch {
	case p == "":
	case p[0] != '/':
		reason = "does not start with a slash; write it like /api/hooks"
	case p[len(p)-1] == '/':
		reason = "ends with a slash; write it like /api/hooks, or leave it empty"
	case path.Clean(p) != p:
		reason = "has an empty segment, . or ..; write it like /api/hooks"
	case strings.ContainsFunc(p, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`{}%?#\`, c)
	}):
		reason = "has a character that is no plain part of a path; write it like /api/hooks"
	}
	if reason != "" {
		return &events.InvalidError{Field: "Prefix", Reason: reason}
	}
	return nil
}

// path returns the path of an endpoint.
func (a *api) path(e *endpoint) string { return a.o.Prefix + "/webhooks." + e.name }
