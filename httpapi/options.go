package httpapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/openapi"
)

// Options are the optional settings. nil and the zero value mean the defaults.
type Options struct {
	// Prefix comes before the names of the endpoints: with "/api", /api/webhooks.subscribe. It
	// starts with a slash and doesn't end with one. If empty, the names come first.
	Prefix string

	// Access says what a request that the Authorizer has let in may see and change. A host whose
	// operator calls the endpoints returns Access{AnyTenant: true} for those calls: lists are then
	// of all tenants, or of the one that the field "tenant" names, and each webhook and delivery in
	// a response has its "tenant". A tenant's own calls have no such field. It is called as the
	// Authorizer is, and an error refuses the request as an error of the Authorizer does. If nil,
	// Access{Tenant: tenant}.
	Access func(r *http.Request, tenant string) (Access, error)

	// Ready returns an error while this host does not deliver. Then requests that would make it
	// send something (subscribe, update, resume, ping, verify, redeliver, replay) get a 409 and
	// change nothing; the error is logged, not sent. It is called for each of these requests, must
	// be safe for concurrent use, and should be quick. If nil, the host always delivers.
	Ready func() error

	// Signing says what becomes of a webhook without a signature key. If zero, SigningOptional.
	Signing Signing

	// Description is what the OpenAPI description says of this host.
	Description Description

	// Logger gets failures of the store as Error and those of Ready as Warn. If nil,
	// slog.Default().
	Logger *slog.Logger
}

// DefaultTitle is the title of the description of a host that gives none.
const DefaultTitle = "Webhooks"

// Description is what the OpenAPI description says of a host, beside the event types that its
// Dispatcher declares. The zero value is a host that says nothing.
type Description struct {
	// Title is the name of the API. If empty, DefaultTitle.
	Title string

	// Security are the ways in which the Authorizer knows a client, any one of which is enough:
	// Security Scheme Objects of OpenAPI 3.1 by a name of A-Z, a-z, 0-9, ".", "_" and "-", such as
	// "bearer": {"type":"http","scheme":"bearer"}. If empty, the description names none.
	Security map[string]json.RawMessage
}

// withDefaults returns a copy with all fields set. o may be nil.
func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Access == nil {
		out.Access = func(_ *http.Request, tenant string) (Access, error) {
			return Access{Tenant: tenant}, nil
		}
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
			Reason: "is none of the constants; give one of those that start with Signing"}
	}
	if err := o.validatePrefix(); err != nil {
		return err
	}
	return openapi.CheckSecurity(o.Description.Security)
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
