package wire

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Webhook is a subscription in a response. It has no signature key but one that was generated for
// this request.
type Webhook struct {
	ID      string            `json:"id"`               // a UUID, in lower case
	Tenant  *string           `json:"tenant,omitempty"` // for the operator alone
	Name    string            `json:"name,omitempty"`
	URL     string            `json:"url"`     // as it is dialed, with the host in ASCII
	Events  []string          `json:"events"`  // patterns; none means every type
	Headers map[string]string `json:"headers"` // with their values, as Airy shows them
	Status  store.Status      `json:"status"`
	Signed  bool              `json:"signed"` // deliveries carry signatures

	// PublicKeys are those of the Ed25519 keys that sign now, in the order in which they were made.
	PublicKeys []signing.PublicKey `json:"public_keys,omitempty"`

	Poll       bool      `json:"poll,omitempty"`       // it has no URL, and is read by /webhooks.poll
	VerifiedAt Timestamp `json:"verified_at,omitzero"` // when its endpoint last agreed

	// What few webhooks have, and then only what is set.
	Description    string            `json:"description,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	Filter         json.RawMessage   `json:"filter,omitempty"`
	Fields         []string          `json:"fields,omitempty"`
	FilterError    string            `json:"filter_error,omitempty"` // it does not parse
	Rate           float64           `json:"rate,omitempty"`         // attempts a second
	AllowedRate    float64           `json:"allowed_rate,omitempty"` // that its endpoint allows
	TimeoutSeconds float64           `json:"timeout_seconds,omitempty"`

	// In the response of the subscribe that generated it, and in no other.
	GeneratedKey string `json:"generated_signature_key,omitempty"`

	// Version tells the states of the webhook apart, and says nothing else. In the response of info
	// alone.
	Version string `json:"version,omitempty"`
	// Warnings say what still works and should be changed. They are in the responses of subscribe,
	// update and info.
	Warnings []string `json:"warnings,omitempty"`

	// Unreadable says that its headers and keys are sealed with a key that the host does not have.
	// Headers is then empty, and nothing is sent to it.
	Unreadable bool `json:"unreadable,omitempty"`
}

// filterOf returns the filter of a subscription as JSON; nil if it has none. One that is no JSON,
// as a host may have set it in Go, is shown as a string: it must not spoil the response.
func filterOf(s *store.Subscription) json.RawMessage {
	if s.Filter == "" {
		return nil
	}
	if filter := json.RawMessage(s.Filter); json.Valid(filter) {
		return filter
	}
	filter, _ := json.Marshal(s.Filter) // never fails for a string
	return filter
}

// Version returns the version of a webhook: the store makes UpdatedAt later by a microsecond at
// least with each change.
func Version(s *store.Subscription) string {
	return strconv.FormatInt(s.UpdatedAt.UnixMicro(), 36)
}

// Pagination says which page it is. A cursor is "" at that end of the list. The total is of all
// pages. It is left out where nothing was counted, as a zero would be taken for one, and it may say
// how much there is at least.
type Pagination struct {
	PreviousCursor    string `json:"previous_cursor"`
	NextCursor        string `json:"next_cursor"`
	Total             *int   `json:"total,omitempty"`
	TotalIsLowerBound bool   `json:"total_is_lower_bound,omitempty"`

	// SearchedTo is how far back a page of deliveries that is not full has looked, to the minute.
	SearchedTo Timestamp `json:"searched_to,omitzero"`
}

// NewPagination returns what a response says of a page. counted says whether it has a total.
func NewPagination[T any](page *store.Page[T], counted bool) Pagination {
	out := Pagination{PreviousCursor: page.Previous, NextCursor: page.Next,
		SearchedTo: Timestamp(page.SearchedToMinute())}
	if counted {
		out.Total, out.TotalIsLowerBound = &page.Total, page.TotalIsLowerBound
	}
	return out
}

// Failure is the response for all statuses but 200.
type Failure struct {
	Message string `json:"message"`
}

// View is whom a response is for. Its methods make the parts of responses that differ by that. The
// zero value is for a tenant.
type View struct {
	Operator bool // sees whose each thing is
}

// tenant returns the field of a thing of a tenant; nil leaves it out. An operator sees "" too.
func (v View) tenant(name string) *string {
	if !v.Operator {
		return nil
	}
	return &name
}

// Webhook returns what a response shows of a subscription. Lists and objects that are empty are
// [] and {}, as in Airy, and never null.
func (v View) Webhook(s *store.Subscription) Webhook {
	w := Webhook{ID: s.ID, Tenant: v.tenant(s.Tenant), Name: s.Name, URL: s.URL, Events: s.Events,
		Headers: s.Headers, Status: s.Status, Signed: s.Signed(),
		Description: s.Description, Metadata: s.Metadata, Filter: filterOf(s), Fields: s.Fields,
		Rate: s.Rate, AllowedRate: s.AllowedRate,
		TimeoutSeconds: s.Timeout.Seconds(), PublicKeys: s.PublicKeys(time.Now()),
		Poll: s.URL == "", VerifiedAt: Timestamp(s.VerifiedAt)}
	if err := s.FilterError(); err != nil {
		w.FilterError = err.Error()
	}
	if w.Events == nil {
		w.Events = []string{}
	}
	if s.SealedWith != "" { // the values are ciphertext
		w.Unreadable, w.Headers = true, nil
	}
	if w.Headers == nil {
		w.Headers = map[string]string{}
	}
	return w
}
