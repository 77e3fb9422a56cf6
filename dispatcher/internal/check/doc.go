// Package check says what is wrong with what a host hands to a Dispatcher: subscriptions, events
// and queries.
//
// It decides nothing else, changes nothing but the form of what it checks, and does no I/O, so all
// of its functions may be called from any number of goroutines, and within a transaction of a
// store. An [events.InvalidError] names the field, what is wrong and what to do; it never repeats a
// secret, or the value of a header.
package check

import (
	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/events"
)

// Rules are what the options of a host allow. They are not changed once they are in use.
type Rules struct {
	Guard        *netguard.Policy
	RequireHTTPS bool
	MinSecret    int // bytes of a new key
	MaxPayload   int // bytes
	OwnerMay     OwnerBounds

	Declared          []events.Type // the catalogue; copies are given out
	Types             []string      // that the host publishes; all if empty
	OperationalEvents bool          // whether Run publishes events of its own
	Schemas           Schemas

	// Visible says whether a tenant may know of a type; if nil, it may of all.
	Visible func(tenant, name string) bool

	Verify    bool // endpoints must prove that they want deliveries
	AllowPull bool // subscriptions need no URL
}

// SubscriptionID returns the canonical form of a subscription's ID.
func SubscriptionID(id string) (string, error) {
	u, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return "", &events.InvalidError{
			Field:  "id",
			Reason: "is no UUID; give one such as 3e639566-29fa-450d-a59f-ae3c25d7260f",
		}
	}
	return u.String(), nil
}
