package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/link"
)

// The defaults of Link.
const (
	DefaultLinkTTL     = time.Minute
	DefaultLinkSession = time.Hour
)

// MinLinkKey is how many bytes a key of a Link must have.
const MinLinkKey = link.MinKey

// Link lets people into the console who are logged in elsewhere: the host's program makes a URL for
// them, which works for a minute, and their browser gets a session by it. Nothing is stored: URL
// and session are signed.
//
//	links := &console.Link{Keys: [][]byte{key}}
//	console.Mount(mux, "/portal/webhooks/", d, links.Authorizer(nil), nil)
//	…
//	to, err := links.URL("https://app.example/portal/webhooks/",
//		console.Access{Tenant: "acme", May: console.MayAll, Actor: "grace@acme.example"})
//
// A URL can be used again until it ends, so hand it only to the browser that it is for, by a
// redirect. A session's cookie is sent over HTTPS alone.
//
// A browser has one session at a time. If it has that of another account, another tenant or Actor,
// a page names both and asks before the link replaces it: a link that somebody else has made, or a
// second tab, would otherwise change whose webhooks the pages that are open act on.
type Link struct {
	// Keys sign. The first signs what is new, each of them opens what is there: to change it, put a
	// new one first, and remove the old one an hour later. What a removed key has signed ends at
	// once. Each has 32 random bytes at least.
	Keys [][]byte

	// TTL is how long a URL works. If zero, DefaultLinkTTL.
	TTL time.Duration

	// Session is how long a browser that came by it is let in. If zero, DefaultLinkSession.
	Session time.Duration
}

// What the tokens are signed for. One of a URL is no session, and the other way round.
const (
	linkPurpose    = "console: link"
	sessionPurpose = "console: session"

	linkParameter = "link"
	sessionCookie = "__Secure-console"
)

// claims are an Access in a token.
type claims struct {
	Tenant string `json:"t,omitempty"`
	Any    bool   `json:"a,omitempty"`
	May    May    `json:"m,omitempty"`
	Actor  string `json:"n,omitempty"`
}

// errNoLink says that a request has no session. Its text is neither sent nor logged.
var errNoLink = errors.New("console: there is no valid link or session")

// URL returns a URL of the console at base, such as "https://app.example/portal/webhooks/", which
// lets its holder do what access says. The error is an *events.InvalidError for base or Keys.
func (l *Link) URL(base string, access Access) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", invalid("base", "is no URL; give that of the console, with https and its host")
	}
	if len(l.Keys) == 0 || len(l.Keys[0]) < MinLinkKey {
		return "", invalid("Keys",
			"must have one of %d bytes at least; make it with crypto/rand", MinLinkKey)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	query := u.Query()
	query.Set(linkParameter, l.sign(linkPurpose, access, orDefault(l.TTL, DefaultLinkTTL)))
	u.RawQuery, u.Fragment = query.Encode(), ""
	return u.String(), nil
}

func (l *Link) sign(purpose string, a Access, d time.Duration) string {
	text, err := json.Marshal(claims{a.Tenant, a.AnyTenant, a.May, a.Actor})
	if err != nil {
		panic("console: claims can't be encoded: " + err.Error())
	}
	return link.Sign(l.Keys[0], purpose, string(text), time.Now().Add(d))
}

func (l *Link) open(purpose, token string) (Access, error) {
	text, err := link.Open(l.Keys, purpose, token, time.Now())
	if err != nil {
		return Access{}, err
	}
	var c claims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Access{}, err
	}
	return Access{Tenant: c.Tenant, AnyTenant: c.Any, May: c.May, Actor: c.Actor}, nil
}

// linkKey is that of the Access of a link in the context of a request.
type linkKey struct{}

// LinkAccess returns the Access of the link by which a request came, for the next Authorizer.
func LinkAccess(r *http.Request) (Access, bool) {
	a, ok := r.Context().Value(linkKey{}).(Access)
	return a, ok
}

// Authorizer returns an Authorizer that lets requests in that have come by a link. What the link
// allows is an upper bound: next is asked at each request, with [LinkAccess], and may lower it or
// refuse, such as for an account that was closed since. If next is nil, the link's Access holds.
func (l *Link) Authorizer(next Authorizer) Authorizer {
	return func(r *http.Request) (Access, error) {
		if token := r.URL.Query().Get(linkParameter); token != "" {
			return Access{}, l.exchange(r, token)
		}
		cookie, err := r.Cookie(sessionCookie)
		if err != nil {
			return Access{}, errNoLink
		}
		bound, err := l.open(sessionPurpose, cookie.Value)
		if err != nil || next == nil {
			return bound, err
		}
		access, err := next(r.WithContext(context.WithValue(r.Context(), linkKey{}, bound)))
		if err != nil {
			return Access{}, err
		}
		access, same := access.limit(bound)
		if !same {
			return Access{}, errNoLink
		}
		if access.Actor == "" {
			access.Actor = bound.Actor
		}
		return access, nil
	}
}

// accountChange is the error of a request with a link to another account than that of the browser's
// session. Its page asks, and sends the link by a POST.
type accountChange struct {
	from, to Access
}

// Error implements error. Its text is neither sent nor logged.
func (*accountChange) Error() string { return "console: the browser has another account's session" }

// exchange returns the Redirect that gives a session for a link, to the same page without it; of
// another account than that of the session that the browser has, only for a POST of the console's
// own page, which has asked.
func (l *Link) exchange(r *http.Request, token string) error {
	access, err := l.open(linkPurpose, token)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodGet:
		if cookie, err := r.Cookie(sessionCookie); err == nil {
			present, err := l.open(sessionPurpose, cookie.Value)
			if err == nil && !present.sameAccount(&access) {
				return &accountChange{present, access}
			}
		}
	case http.MethodPost:
		if err := http.NewCrossOriginProtection().Check(r); err != nil {
			return err
		}
	default:
		return errNoLink
	}
	session := orDefault(l.Session, DefaultLinkSession)
	query := r.URL.Query()
	query.Del(linkParameter)
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	// "./" so that no name is taken for a scheme.
	return &Redirect{URL: "./" + url.PathEscape(name) + suffix(query), cookies: []*http.Cookie{{
		Name: sessionCookie, Value: l.sign(sessionPurpose, access, session), Secure: true,
		MaxAge: int(session / time.Second),
	}}}
}

// suffix is a query with its question mark; empty if there is none.
func suffix(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

func orDefault(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d
}
