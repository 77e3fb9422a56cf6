package store

import (
	"slices"
	"strings"
	"time"
)

// State is the state of a delivery.
type State string

const (
	Pending   State = "pending"   // due now or later
	Delivered State = "delivered" // an attempt succeeded
	Dead      State = "dead"      // given up: its attempts are used up, or the endpoint said 410

	// Its subscription was unsubscribed or disabled, or its event was erased or has expired.
	Canceled State = "canceled"
)

// States lists the states in the order of a delivery's life.
func States() []State { return []State{Pending, Delivered, Dead, Canceled} }

// Delivery is one event for one subscription.
type Delivery struct {
	SubscriptionID string
	EventID        string
	EventType      string
	Tenant         string
	Key            string // the event's ordering key; empty if it has none
	State          State

	Attempts int // counted attempts so far

	CreatedAt  time.Time // when the event was enqueued
	DueAt      time.Time // when the next attempt may start, or it expires; zero unless pending
	FinishedAt time.Time // when it was delivered, dead or canceled; zero while pending

	LastStatus int    // the HTTP status of the last attempt; 0 before the first, and without an answer
	LastError  string // the error of the last attempt, or why it was canceled; empty if delivered

	// Erased says that the event was erased ([History.Erase]), so it can't be sent. NotBefore and
	// ExpiresAt are the event's: it is not sent before the one, nor from the other on; zero is none.
	Erased               bool
	NotBefore, ExpiresAt time.Time

	// Wait says why a pending delivery is not attempted now, and WaitUntil until when that is so
	// at most, if that is known; both are empty unless it is pending. If several things keep it
	// back, it is the one that ends last. It is what Claim goes by, as the store knows it: of a
	// delivery that another replica has, a store may know of no lease, and no rate limit.
	Wait      Wait
	WaitUntil time.Time
}

// Attempt is one HTTP request of a delivery and its result.
type Attempt struct {
	Number   int           // from 1, over the whole life of the delivery with its redeliveries
	At       time.Time     // when it started; zero, or in the years 1 to 9999
	Duration time.Duration // until the answer was read, or given up; from 0 to MaxDuration
	Status   int           // the HTTP status, MaxStatus at most; 0 when there was none
	Error    string        // what went wrong, for the endpoint's owner to read; empty if it succeeded
	Response []byte        // how the answer's body began; at most MaxResponse bytes

	// Detail is nil if none is kept; see MaxDetails.
	Detail *AttemptDetail
}

// MaxResponse is how many bytes of an answer's body an Attempt keeps at most.
const MaxResponse = 8192

// DeliveryQuery selects deliveries. Its zero value selects all of the tenant "".
type DeliveryQuery struct {
	Tenant    string // only this tenant's
	AnyTenant bool   // every tenant's; Tenant is ignored

	SubscriptionID string // if empty, of any subscription

	// EventID selects one event; if empty, any. An event ID is its tenant's, so it comes with the
	// tenant: with AnyTenant it needs a SubscriptionID, whose tenant it then is.
	EventID string

	EventType    string    // one type, not a pattern; if empty, of any type
	Key          string    // one ordering key; if empty, of any, and without one
	Tag          string    // one that the event has among its Tags; if empty, any
	States       []State   // if empty, in any state (Requeue: in any but Pending)
	Since, Until time.Time // CreatedAt in [Since, Until), in the years 1 to 9999; zero is open

	// ErrorClass selects by the first word of LastError: those whose LastError is it, or begins
	// with it and a colon. If empty, any.
	ErrorClass string

	// LastStatus selects by the status of the last answer. If zero, any.
	LastStatus StatusRange

	Cursor string // the Next or Previous of an earlier Page; if empty, from the newest

	// Last asks, without a Cursor, for the last page in place of the first: the oldest deliveries,
	// newest first as on every page. Its Previous goes on to what is newer. It needs a
	// SubscriptionID and its Tenant. Requeue begins with the oldest in any case.
	Last  bool
	Limit int // how many at most, up to MaxLimit; if zero, DefaultDeliveryLimit

	// Count asks for Page.Total. Counting ends at MaxTotal, or earlier if few of the deliveries
	// that are read match.
	Count bool
}

// StatusRange is the HTTP statuses from From to To. The zero range has all.
type StatusRange struct{ From, To int } // from 0, which is none, to MaxStatus

// Has reports whether a status is in the range.
func (r StatusRange) Has(status int) bool {
	return r == StatusRange{} || r.From <= status && status <= r.To
}

// HasClass reports whether an error, such as LastError, is of a class: whether it is the word, or
// begins with it and a colon.
func HasClass(text, class string) bool {
	rest, ok := strings.CutPrefix(text, class)
	return ok && (rest == "" || rest[0] == ':')
}

// MaxTotal is how many deliveries are counted at most for a Page.Total.
const MaxTotal = 10_000

// DefaultDeliveryLimit is the page size of a [DeliveryQuery] without a Limit.
const DefaultDeliveryLimit = 100

// RequeueResult is what one step of Requeue did.
type RequeueResult struct {
	Requeued int    // how many deliveries it changed
	Next     string // the cursor for the next step; empty after the last

	// Held are the IDs of the subscriptions that are held (Health.NextProbeAt is later than now)
	// and have a delivery that matched and was not passed over, be it changed, due already or
	// leased. Each is there once, in no order.
	Held []string
}

// EraseQuery selects events to erase.
type EraseQuery struct {
	Tenant  string // of this tenant; empty is a tenant too
	EventID string // this event alone, and then Cursor and Limit are ignored; if empty, all

	Cursor string // what an earlier Erase returned; if empty, from the start
	Limit  int    // how many at most in one step, up to MaxLimit; if zero, DefaultDeliveryLimit
}

// Tagged reports whether q selects an event with these tags, which are sorted.
func (q *DeliveryQuery) Tagged(tags []string) bool {
	if q.Tag == "" {
		return true
	}
	_, found := slices.BinarySearch(tags, q.Tag)
	return found
}

// Matches reports whether q selects d, of whose event [DeliveryQuery.Tagged] is true. It ignores
// Cursor, Limit and Count.
func (q *DeliveryQuery) Matches(d *Delivery) bool {
	return (q.AnyTenant || q.Tenant == d.Tenant) &&
		(q.SubscriptionID == "" || q.SubscriptionID == d.SubscriptionID) &&
		(q.EventID == "" || q.EventID == d.EventID) &&
		(q.EventType == "" || q.EventType == d.EventType) &&
		(q.Key == "" || q.Key == d.Key) &&
		(q.ErrorClass == "" || HasClass(d.LastError, q.ErrorClass)) &&
		q.LastStatus.Has(d.LastStatus) &&
		(len(q.States) == 0 || slices.Contains(q.States, d.State)) &&
		(q.Since.IsZero() || !d.CreatedAt.Before(q.Since)) &&
		(q.Until.IsZero() || d.CreatedAt.Before(q.Until))
}
