package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"golang.org/x/net/http/httpguts"

	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// An Authorizer returns the tenant of a request, or "" in a single-tenant host. An error refuses
// the request: with a 401 if it is an [*Unauthenticated], and otherwise with a 403; its text is
// neither sent nor logged. It runs after the check of the method and before the body is read, and
// must be safe for concurrent use. If it panics, net/http ends the connection, and nothing is
// changed.
type Authorizer func(*http.Request) (tenant string, err error)

// NoAuth is the Authorizer of a single-tenant host that authorizes requests before they come here.
func NoAuth(*http.Request) (string, error) { return "", nil }

// Unauthenticated is the error by which an [Authorizer] says that a request has no valid
// credentials: it gets a 401 (RFC 9110, 15.5.2), after which a client may try others. Any other
// error gets a 403, after which other credentials are no use.
type Unauthenticated struct {
	// Challenge is the header WWW-Authenticate, which tells the client how to authenticate, such as
	// `Bearer realm="hooks"`. It must be one that HTTP allows. If empty, "Bearer".
	Challenge string
}

// Error implements error.
func (e *Unauthenticated) Error() string { return "httpapi: the request is not authenticated" }

// DefaultChallenge is the header WWW-Authenticate of a 401 whose error has no Challenge.
const DefaultChallenge = "Bearer"

// unauthorized returns the error for a request that an Authorizer refuses. The text of err is the
// host's own, and may say why a session was refused.
func unauthorized(err error) error {
	if e := (*Unauthenticated)(nil); errors.As(err, &e) {
		return e
	}
	return &refusal{http.StatusForbidden,
		"the request is not authorized; send the credentials that this host asks for"}
}

// writeUnauthenticated answers 401. RFC 9110 demands a challenge with it.
func writeUnauthenticated(w http.ResponseWriter, e *Unauthenticated) {
	challenge := e.Challenge
	// One that net/http would send changed is no challenge of the host's.
	if challenge == "" || !httpguts.ValidHeaderFieldValue(challenge) {
		challenge = DefaultChallenge
	}
	w.Header().Set("WWW-Authenticate", challenge)
	writeError(w, http.StatusUnauthorized,
		"the request is not authenticated; send the credentials that this host asks for")
}

// Access is what a request may see and change: see [Options].Access.
type Access struct {
	// Tenant is the tenant whose webhooks and deliveries they are. If it is empty and the one that
	// the Authorizer has returned is not, the request is refused with a 503.
	Tenant string

	// AnyTenant gives those of every tenant. It is for the operator of a host, and not for its
	// users. Tenant is ignored then.
	AnyTenant bool

	// Actor is who sends the request: a user, or an API key. It is told to the dispatcher's
	// Observer, with what was changed, and logged: see dispatcher.WithActor. If empty, it is that
	// of the request's context, if there is one.
	Actor string
}

// authorize returns what a request may see and change.
func (a *api) authorize(r *http.Request) (Access, error) {
	tenant, err := a.auth(r)
	if err != nil {
		return Access{}, unauthorized(err)
	}
	acc, err := a.o.Access(r, tenant)
	if err != nil {
		return Access{}, unauthorized(err)
	}
	if acc.AnyTenant {
		acc.Tenant = "" // a query that names both is refused
	} else if acc.Tenant == "" && tenant != "" {
		// Most likely it was forgotten. The tenant "" is one too, and its webhooks are not theirs.
		a.o.Logger.LogAttrs(r.Context(), slog.LevelError,
			"httpapi: Options.Access names no tenant, but the Authorizer does; return its tenant")
		return Access{}, &refusal{http.StatusServiceUnavailable,
			"this host can't tell whose webhooks these are; it has to be repaired"}
	}
	return acc, nil
}

// reaches reports whether a webhook is one of those that a request may see.
func (acc Access) reaches(sub *store.Subscription) bool {
	return acc.AnyTenant || sub.Tenant == acc.Tenant
}

// scope returns whose webhooks and deliveries a request is about.
func (acc Access) scope(f *ask.Fields) ask.Scope {
	return ask.ReadScope(f, acc.Tenant, acc.AnyTenant)
}

// view returns whom the response is for.
func (acc Access) view() wire.View { return wire.View{Operator: acc.AnyTenant} }

// own returns the tenant's webhook that the field "id" of a request names. Its error is
// store.ErrNotFound, that of a wrong field, or the store's.
func (a *api) own(ctx context.Context, acc Access, f *ask.Fields) (store.Subscription, error) {
	id := f.Required("id")
	if f.Err != nil {
		return store.Subscription{}, f.Err
	}
	return a.ownID(ctx, acc, "id", id)
}

// ownID returns the tenant's webhook with the ID of a field. Another tenant's is store.ErrNotFound,
// like one that does not exist: with a 403, anybody could learn which IDs are taken.
func (a *api) ownID(
	ctx context.Context, acc Access, field, id string,
) (store.Subscription, error) {
	sub, err := a.d.Subscription(ctx, id)
	if err != nil {
		return store.Subscription{}, ask.InField(field, err)
	}
	// The store finds a subscription by its ID alone, of any tenant.
	if !acc.reaches(&sub) {
		return store.Subscription{}, store.ErrNotFound
	}
	return sub, nil
}
