package dispatcher

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
)

// The defaults of Options.
const (
	DefaultConcurrency     = 256
	DefaultPerSubscription = 16
	DefaultTimeout         = 15 * time.Second
	DefaultDrainTimeout    = 30 * time.Second
	DefaultDisableAfter    = 5 * 24 * time.Hour
	DefaultRetention       = 72 * time.Hour
	DefaultFailedRetention = 30 * 24 * time.Hour
	DefaultMaxPayload      = 1 << 20
	DefaultMaxResponse     = 1024

	// DefaultMinSecret is 112 bits, the least that NIST SP 800-131A allows for a key of HMAC. The
	// keys of Airy's documentation are longer. Anybody who has seen one delivery can try keys on it,
	// so a short key, such as a word, is soon found.
	DefaultMinSecret = 14
)

// Version is that of outhook. It is in the default User-Agent.
const Version = "0.1.0"

// leaseSlack is how much longer a lease lasts than the Timeout of its attempt: time to start the
// attempt and to record its outcome.
const leaseSlack = 15 * time.Second

// Options configure a Dispatcher. New copies them; the zero value of each field means its default.
type Options struct {
	// Concurrency is how many attempts run at once, 1,048,576 at most. It bounds the memory and the
	// goroutines of Run. If zero, DefaultConcurrency.
	Concurrency int

	// PerSubscription is how many attempts of one subscription run at once, unless its Policy says
	// otherwise. If zero, DefaultPerSubscription, or Concurrency where that is less.
	PerSubscription int

	// PerTenant is how many attempts to the subscriptions of one tenant run at once, Concurrency at
	// most. The tenant "" has no such bound, so a host without tenants need not set it. If zero,
	// half of Concurrency.
	PerTenant int

	// PerHost is how many attempts to one host and port run at once, over all subscriptions and
	// tenants, Concurrency at most. It is for hosts many of whose webhooks go to one service. If
	// zero, there is no such bound.
	PerHost int

	// Timeout bounds one attempt from dialing to the last byte of the answer. If zero,
	// DefaultTimeout.
	Timeout time.Duration

	// DrainTimeout is how long Run lets running attempts finish once its context has ended. Those
	// that take longer are cut off and given back uncounted. If zero, DefaultDrainTimeout; if
	// negative, none are waited for.
	DrainTimeout time.Duration

	// Retention is how long a delivered delivery stays in the history, store.MaxDuration at most.
	// If zero, DefaultRetention; if negative, for ever.
	Retention time.Duration

	// FailedRetention is how long a dead or canceled delivery stays in the history, and can be
	// replayed, store.MaxDuration at most. If zero, DefaultFailedRetention; if negative, for ever.
	FailedRetention time.Duration

	// DisableAfter is how long a subscription may do nothing but fail, refuse and throttle before
	// it is unsubscribed with a DisabledReason. A gap between two such attempts counts as an hour
	// at most, so neither time in which nothing was attempted nor an outage of the host's own
	// network disables anybody. If zero, DefaultDisableAfter; if negative, never.
	DisableAfter time.Duration

	// Backoff is when a failed delivery is tried again. If zero, the defaults of its fields.
	Backoff Backoff

	// Success says which HTTP statuses mean that the receiver took the delivery. It must be safe
	// for concurrent use. If nil, only 200 does, as Airy documents it: a receiver that answers 204
	// fails. Any2xx is the usual alternative.
	Success func(status int) bool

	// Final says which refusals are final: a delivery that gets such a status is dead at once, and
	// not tried again. It is asked about statuses from 400 to 499 that Success does not take, other
	// than 401, 403, 404, 407, 408, 410 and 429, which speak of the endpoint and not of the
	// delivery. It must be safe for concurrent use; a panic is a failed attempt. If nil, none is.
	Final func(status int) bool

	// EventTypes are the types that the host publishes. If there are any, Publish, PublishTx and
	// Subscribe refuse all others; with OperationalEvents, Subscribe takes the operational types
	// too. If empty, every well-formed type is taken.
	EventTypes []events.Type

	// TypeVisible says whether a tenant may know of a type of EventTypes. For a tenant from which a
	// type is hidden, the type does not exist: the catalogue and the descriptions of package httpapi
	// don't have it, Subscribe and Update refuse its name as an unknown one, and Publish and PublishTx
	// store no event of that type and tenant, without an error. What was delivered before stays in the
	// history. It is called for each event that is published, and must be quick and safe for
	// concurrent use; a panic hides the type. If nil, every tenant may know of all.
	TypeVisible func(tenant, eventType string) bool

	// Schemas checks payloads by the Schema of their type in EventTypes: Publish and PublishTx
	// return an *events.InvalidError for one that does not match, and New an error for an Example
	// that does not. jsonschema.Compiler{} of events/jsonschema, a module of its own, is one. If
	// nil, payloads may be any JSON.
	Schemas events.SchemaCompiler

	// OperationalEvents has Run publish events about subscriptions: events.TypeDisabled when it has
	// unsubscribed one, events.TypeExhausted when it has given a delivery up. They are of the
	// subscription's tenant, and go to the subscriptions that name their type; with EventTypes,
	// naming them is allowed only with this option. Publish then refuses events of these types. None
	// are published about deliveries of operational events. If the process dies after it has
	// recorded an outcome and before it has published the event, or the store's answer is lost, the
	// event is missing; the history has the outcome.
	OperationalEvents bool

	// Filter says whether a subscription is to get an event; if not, the delivery ends as canceled
	// with ReasonFiltered and without an attempt. It is asked immediately before the first attempt,
	// in its goroutine and its slot of Concurrency. Once an attempt has made a request, it is not
	// asked again for retries or redeliveries. It is asked again about a delivery that it canceled
	// and that is redelivered.
	//
	// The delivery has been stored by then, which costs a write even if the event is not wanted.
	// Patterns of event types, and the Filter of a subscription, are asked before anything is
	// stored, so they are cheaper. Both arguments are copies. It must be
	// safe for concurrent use. A panic is a failed attempt of ClassSender; the next one asks again.
	// If nil, every delivery is attempted.
	Filter func(store.Subscription, events.Event) bool

	// CloudEvents says how deliveries of a subscription become CloudEvents: not at all, in structured
	// or in binary mode; see package events/cloudevents. Signatures are over the body that goes out.
	// It is called at each attempt until one makes a request, and by Ping, before Transform, with a
	// copy, and must be safe for concurrent use. A Format that is not valid, or a panic, is a failed
	// attempt, as with Transform. If it returns another Format later, that applies to deliveries that
	// have not been sent yet: all requests of a delivery have the same body and the same headers that
	// begin with ce-. If nil, no deliveries are CloudEvents.
	CloudEvents func(store.Subscription) cloudevents.Format

	// Transform may change the headers and the body of deliveries, for each subscription as it
	// likes. It is called at every attempt, and by Ping, in the attempt's goroutine and within its
	// Timeout, with copies of the subscription and the event, and must be safe for concurrent use.
	// An error or a panic is a failed attempt of ClassSender: it is retried by Backoff and counted,
	// and leaves the health of the subscription as it is.
	//
	// Signatures cover the body that it leaves. All requests with one webhook-id have the same body:
	// the body of the first request is stored with the delivery, if it differs from the event's, for
	// as long as the delivery is. Each retry and redelivery sends it again, and Transform can't
	// change it any more. The headers are those that each call makes.
	//
	// It must make the same body of the same subscription and event each time. After a crash before
	// an attempt is recorded, or a stop that cuts the attempt off, the next attempt counts as the
	// first; a different body would then go out under the same webhook-id. If nil, nothing is
	// changed.
	Transform func(context.Context, store.Subscription, events.Event, *Request) error

	// Sign returns headers to add to an attempt, such as the signature of a scheme that your
	// receivers know already. It is called at every attempt, and by Ping, after Transform, and must
	// be safe for concurrent use. A name that only the dispatcher may set, such as webhook-id, an
	// error or a panic is a failed attempt, as with Transform. If nil, none are added.
	Sign func(Message) (http.Header, error)

	// Signatures says which signatures the deliveries of a subscription with a symmetric key carry:
	// webhook-signature of Standard Webhooks, X-Airy-Content-Signature, or both. A subscription with
	// an Ed25519 key always has webhook-signature, by all its keys, and Airy's only if it has a
	// symmetric key too. Airy's does not cover the time, so an old delivery can be sent again: give
	// SignaturesStandard if all your receivers take Standard Webhooks. The headers webhook-id,
	// webhook-timestamp and webhook-attempt are always sent. If zero, SignaturesBoth.
	Signatures Signatures

	// MinSecret is how many bytes a new signature key must have, from 1 to 32. Of a key that starts
	// with "whsec_" the decoded bytes count, of which there must be 24 in any case. It does not
	// affect keys that are stored already. 1 takes every key that Airy takes. If zero,
	// DefaultMinSecret.
	MinSecret int

	// Authenticate returns the credentials of an attempt, as headers to add. It is called at every
	// attempt, and by Ping, after Transform and before Sign, within the Timeout, and must be safe
	// for concurrent use. BasicAuth makes a header; oauth2auth, a module of its own, has tokens.
	//
	// If the endpoint answers 401, it is called once more with the headers that were refused, which
	// it should forget. If it then returns others, the request is made again with them, once, within
	// the same attempt. rejected is nil at the first call.
	//
	// Values are masked in the history. A name that only the dispatcher may set, an error or a panic
	// is a failed attempt, as with Transform. If nil, none are added.
	Authenticate func(
		ctx context.Context, sub store.Subscription, rejected http.Header,
	) (http.Header, error)

	// Policy says how the deliveries of one subscription are attempted, where that differs from these
	// options. The subscription is a copy. Return the same for the same subscription after a restart:
	// deliveries that wait for a retry then go on by the same Backoff.
	//
	// It is called in a goroutine of its own when a subscription has something due, and the answer
	// holds until the subscription changes, for ten seconds at most. At most Concurrency calls run
	// at once. An answer that does not come within a few milliseconds puts off the attempts of that
	// subscription alone until it is there; a panic, or a policy that is out of its bounds, puts
	// them off for some seconds. Run waits for all calls before it returns. If nil, every
	// subscription has the policy of these options.
	Policy func(store.Subscription) Policy

	// OwnerMay are the bounds within which the owner of a subscription may set its Rate and Timeout,
	// also over HTTP and in the console. If Policy gives a value too, the lesser of both applies. If
	// zero, owners can set neither.
	OwnerMay OwnerBounds

	// MaxTimeout is the longest Timeout of any policy, an hour at most. Leases last 15 s longer than
	// that: with a store that other processes share, it is also how long the deliveries that a
	// process had under way when it died have to wait. If zero, Timeout, or OwnerMay.Timeout if that
	// is longer.
	MaxTimeout time.Duration

	// ReceiverSteers obeys a header of an endpoint's answer: "webhook-delivery: abort-message" ends
	// the delivery as dead unless the answer is a success, and "webhook-delivery: disable"
	// unsubscribes the subscription with a DisabledReason as well. Neither counts as a failure of the
	// endpoint. Don't set it if customers' endpoints are behind a gateway that others control: the
	// gateway could unsubscribe all of them. Ping does not obey. A 410 unsubscribes in any case.
	ReceiverSteers bool

	// Quota returns what a tenant may use: how many subscriptions and how large, how many pending
	// deliveries, how many pings and replays in a minute. A call beyond it returns a *QuotaError and
	// changes nothing. Calls of the store itself, and operational events, have no quota.
	//
	// It is called in the goroutine of Subscribe, Update, RotateSecret, Unsubscribe, Publish,
	// PublishTx, Ping, Redeliver and Replay. If it blocks, it blocks that call and no other, except
	// that the transaction of a PublishTx stays open meanwhile. If it panics, the call fails. It must
	// be safe for concurrent use. If nil, every tenant, the tenant "" included, has the defaults of
	// Quota.
	Quota func(tenant string) Quota

	// Verify says how an endpoint must prove that it wants deliveries before it gets the first, and
	// again when the URL of its subscription changes. Until then the subscription is Unverified:
	// events are kept for it, pending, and nothing is attempted; see Dispatcher.Verify.
	// Subscriptions that were made without Verify stay as they are until their URL changes. If zero,
	// no proof is needed; a subscription that is Unverified from before stays so until Update sets
	// its Status to Subscribed.
	Verify Verification

	// AllowPull allows subscriptions without a URL: their deliveries stay pending until they are
	// read by Dispatcher.Poll. It can't be combined with Filter, which is asked about attempts: New
	// then returns an error. If false, each new subscription needs a URL; those that have none can
	// still be read.
	AllowPull bool

	// RequireHTTPS refuses new subscriptions with an http URL. It does not affect those that exist.
	RequireHTTPS bool

	// AllowPrefixes are addresses that deliveries may go to although the built-in list denies them,
	// such as a host's own network. DenyPrefixes are denied even if AllowPrefixes has them. Both are
	// compared with the address that is dialed. See the package comment for the built-in list.
	AllowPrefixes, DenyPrefixes []netip.Prefix

	// AllowLoopback lets deliveries go to the machine that the host runs on: 127.0.0.0/8, ::1, and
	// names such as localhost. It is for development: in production it opens every service of that
	// machine to anybody who can subscribe. If false, such a URL is refused by Subscribe, and blocked
	// when it is dialed.
	AllowLoopback bool

	// Ports are the only ports that deliveries may go to, such as 443 alone. The port of a URL that
	// names none is its scheme's. If empty, 80, 443 and those from 1024 on.
	Ports []uint16

	// Transport sends the requests. A Transport of your own must do what the default one does: guard
	// addresses (GuardedDialer helps), bound the response, obey Proxy and TLS, and keep the
	// connections of tenants apart. Redirects are still not followed, and Timeout still applies. The
	// body of a request can be read twice, so that a transport can repeat a request once. If nil,
	// guarded connections, for HTTP/1.1 and HTTP/2.
	Transport http.RoundTripper

	// TLS returns the configuration of the connections to a subscription's endpoint, with a client
	// certificate or the certificates of a private authority; nil for the default, which trusts the
	// system's authorities. The address guard applies in any case. It is called for each attempt at
	// an https URL, in the attempt's goroutine, and must be quick and safe for concurrent use: read
	// from memory. A call that blocks delays its own attempt alone. A panic, also of a function in
	// the configuration, fails the attempt as a panic of Transform does.
	//
	// Return the same pointer as long as the configuration is the same: a connection is used again
	// only for the pointer that it was opened with. To change a certificate, return a new pointer,
	// and don't change a configuration that was returned. MinVersion is raised to TLS 1.2 if it is
	// lower, and NextProtos is ignored. Sessions are resumed only if the configuration has a
	// ClientSessionCache; give each identity one of its own. If nil, the default for all.
	TLS func(store.Subscription) *tls.Config

	// DisableHTTP2 makes every connection speak HTTP/1.1, which those through a Proxy do in any case.
	// If false, https endpoints that offer HTTP/2 are sent HTTP/2.
	DisableHTTP2 bool

	// Proxy is the http, https or socks5 proxy for every delivery. The address guard can't see the
	// endpoint's address then, so the proxy must refuse internal addresses. Proxies named in the
	// environment are never used. If nil, none.
	Proxy *url.URL

	// UserAgent is the User-Agent of deliveries whose subscription does not set its own. If empty,
	// "outhook/" and Version.
	UserAgent string

	// MaxPayload is how many bytes an event's Payload may have. If zero, DefaultMaxPayload.
	MaxPayload int

	// AttemptDetail says of which attempts the history keeps the headers that were sent and answered,
	// how long each part of the attempt took, and the remote address (store.AttemptDetail). Values of
	// the subscription's headers and of those that Authenticate, Transform and Sign set are masked,
	// also where the answer repeats them, its body included. A detail takes about a kilobyte in the
	// store, five at most, and the newest ten attempts of a delivery keep theirs (store.MaxDetails),
	// so a delivery that fails again and again takes no more than that. If zero, DetailOfFailures.
	AttemptDetail AttemptDetail

	// MaxResponse is how many bytes of an answer's body the history keeps, store.MaxResponse at
	// most; none if it is negative. If zero, DefaultMaxResponse.
	MaxResponse int

	// Logger gets an Info record with the settings when Run begins, a Debug one per attempt, a Warn
	// per failed one that says whether and when it is tried again, and an Error for trouble of the
	// dispatcher's own or its store's; never a body, a path or query string, a header value or a
	// secret. If nil, slog.Default().
	Logger *slog.Logger

	// Observer is told what happens. If nil, there is none.
	Observer *Observer

	// Tracer connects publishing and attempts to a tracing system. If nil, attempts send the Trace
	// of their event.
	Tracer *Tracer
}

// AttemptDetail says of which attempts a detail is kept; see Options.AttemptDetail.
type AttemptDetail int

const (
	DetailOfFailures AttemptDetail = iota // of those that did not succeed
	DetailOfAll                           // of every attempt
	DetailOfNone                          // of none

	detailEnd // one more than the last
)

// Signatures says which signatures deliveries carry; see Options.Signatures.
type Signatures int

const (
	// SignaturesBoth is webhook-signature and X-Airy-Content-Signature.
	SignaturesBoth Signatures = iota
	// SignaturesStandard is webhook-signature alone.
	SignaturesStandard
	// SignaturesAiry is X-Airy-Content-Signature alone. An intercepted delivery can be sent again
	// at any time then, and while keys rotate only the old one signs.
	SignaturesAiry

	signaturesEnd // one more than the last
)

// Any2xx is an Options.Success that takes every status from 200 to 299.
func Any2xx(status int) bool { return status >= 200 && status <= 299 }

// only200 is the default of Options.Success.
func only200(status int) bool { return status == http.StatusOK }
