package record

import (
	"encoding/json"
	"time"

	"github.com/outhook/outhook/store"
)

// OwnerSettings is what few subscriptions have. It is one column, NULL for the others. Of it, only
// the filter is looked at by a statement (see enqueue.sql).
type OwnerSettings struct {
	Description string            `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Filter      string            `json:"filter,omitempty"`
	Fields      []string          `json:"fields,omitempty"`
	Rate        float64           `json:"rate,omitempty"`
	Timeout     time.Duration     `json:"timeout,omitempty"` // nanoseconds
	VerifiedAt  time.Time         `json:"verified_at,omitzero"`
	NeedsProof  bool              `json:"needs_proof,omitempty"`
	AllowedRate float64           `json:"allowed_rate,omitempty"`
}

// settingsOf returns the column of a subscription; nil if it has none of it. All of it was
// validated, so JSON has it: no number is infinite, no year above 9999.
func settingsOf(sub *store.Subscription) *string {
	text, err := json.Marshal(OwnerSettings{
		sub.Description, sub.Metadata, sub.Filter, sub.Fields, sub.Rate, sub.Timeout,
		sub.VerifiedAt.UTC(), sub.NeedsProof, sub.AllowedRate,
	})
	if err != nil {
		panic(err) // see above
	}
	if string(text) == "{}" {
		return nil
	}
	column := string(text)
	return &column
}

// SetOn sets the fields of a subscription to those of its column, which may be nil.
func (s *OwnerSettings) SetOn(sub *store.Subscription) {
	if s == nil {
		return
	}
	sub.Description, sub.Metadata = s.Description, s.Metadata
	sub.Filter, sub.Fields = s.Filter, s.Fields
	sub.Rate, sub.Timeout, sub.VerifiedAt = s.Rate, s.Timeout, s.VerifiedAt
	sub.NeedsProof, sub.AllowedRate = s.NeedsProof, s.AllowedRate
}
