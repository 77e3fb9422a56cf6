package console

import (
	"cmp"
	"net/http"

	"github.com/outhook/outhook/httpapi/console/internal/text"
)

// Access is what the sender of a request may see and do. Its zero value looks at the webhooks of
// the tenant "", and changes nothing.
type Access struct {
	Tenant    string // whose webhooks; an empty one is a tenant too
	AnyTenant bool   // every tenant's, for the operator; Tenant is ignored
	May       May    // what beyond looking; 0 is looking alone

	// Actor names who it is, for the log and the Observer (dispatcher.WithActor): an account's name
	// or ID, and no secret.
	Actor string
}

// May says what somebody may do beside looking. Its values are bits.
type May uint8

const (
	MayEdit     May = 1 << iota // add, change, enable, disable, rotate, delete
	MayTest                     // send a test, or the example of a type; ask an endpoint to agree
	MaySend                     // redeliver, replay
	MayPayloads                 // see what was sent and what was answered
	MayErase                    // erase what an event carried

	MayAll = MayEdit | MayTest | MaySend | MayPayloads | MayErase
)

// Edit reports whether MayEdit is set. The console's templates use it and the methods like it.
func (m May) Edit() bool { return m&MayEdit != 0 }

// Test reports whether MayTest is set.
func (m May) Test() bool { return m&MayTest != 0 }

// Send reports whether MaySend is set.
func (m May) Send() bool { return m&MaySend != 0 }

// Payloads reports whether MayPayloads is set.
func (m May) Payloads() bool { return m&MayPayloads != 0 }

// Erase reports whether MayErase is set.
func (m May) Erase() bool { return m&MayErase != 0 }

// sameAccount reports whether two are of one account: what it may do can differ.
func (a *Access) sameAccount(b *Access) bool {
	return a.AnyTenant == b.AnyTenant && a.Tenant == b.Tenant && a.Actor == b.Actor
}

// account names whose webhooks an access is to, and who has it.
func (a *Access) account() string {
	of := "all tenants"
	if !a.AnyTenant {
		of = cmp.Or(text.Line(a.Tenant), "no tenant")
	}
	if a.Actor == "" {
		return of
	}
	return text.Line(a.Actor) + " (" + of + ")"
}

// limit returns what both a and bound allow, and whether they are about the same webhooks at all.
func (a Access) limit(bound Access) (Access, bool) {
	a.May &= bound.May
	switch {
	case bound.AnyTenant:
		return a, true
	case a.AnyTenant:
		a.AnyTenant, a.Tenant = false, bound.Tenant
		return a, true
	}
	return a, a.Tenant == bound.Tenant
}

// An Authorizer says what the sender of a request may see and do. A [*Redirect] sends the browser
// to the host's login, any other error is a 403, whose text is neither sent nor logged. It is
// called for every request but those for the style sheet, the script and the logo, and must be safe
// for concurrent use.
//
// It should know its users by a cookie or a header that browsers send by themselves only to this
// host. The console refuses requests that another site's page makes a browser send
// ([http.CrossOriginProtection]).
type Authorizer func(*http.Request) (Access, error)

// Redirect is the error of an [Authorizer] that sends the browser elsewhere, such as to a login.
type Redirect struct {
	// URL is where to: absolute, a path of the host, or relative to the request's.
	URL string

	cookies []*http.Cookie
}

// Error implements error.
func (r *Redirect) Error() string { return "console: go to " + r.URL }
