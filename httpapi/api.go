package httpapi

import (
	"encoding/json"
	"log/slog"
	"path"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// api has what the endpoints share. It is immutable.
type api struct {
	d    *dispatcher.Dispatcher
	auth Authorizer
	o    Options
}

func newAPI(d *dispatcher.Dispatcher, auth Authorizer, o *Options) (*api, error) {
	switch {
	case d == nil:
		return nil, &events.InvalidError{Field: "d", Reason: "is nil; give the dispatcher that delivers"}
	case auth == nil:
		return nil, &events.InvalidError{Field: "auth",
			Reason: "is nil; give an Authorizer, or NoAuth if the host itself authorizes requests"}
	}
	for _, t := range d.EventTypes() {
		if t.Schema != nil && !json.Valid(t.Schema) || t.Example != nil && !json.Valid(t.Example) {
			return nil, &events.InvalidError{Field: "d", Reason: "declares the event type " + t.Name +
				" with a Schema or an Example that is not JSON; correct its EventTypes"}
		}
	}
	a := &api{d: d, auth: auth, o: o.withDefaults()}
	return a, a.o.validate()
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Ready == nil {
		out.Ready = func() error { return nil }
	}
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	return out
}

func (o *Options) validate() error {
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

func (a *api) path(e *endpoint) string { return a.o.Prefix + "/webhooks." + e.name }
