package buckets

// Bucket names a bucket of the store.
type Bucket int

const (
	Meta            Bucket = iota // names → what there is once, see the keys below
	Subscriptions                 // number → subscription
	SubscriptionIDs               // ID → number
	Tenants                       // tenant, number → nothing; tenant → how many
	// Tenant, pattern, number → since when, and whether disabled.
	Patterns
	Events   // sequence number → event
	EventIDs // ID, tenant → sequence number, see eventIDs
	Rows     // subscription, event → row
	// Subscription, state, event → nothing: rows that are not delivered.
	States
	// Subscription, due, event → nothing: rows that are pending and not blocked.
	Due
	// Subscription, hash of the key, event → nothing: pending deliveries that have a key.
	Keyed
	Chunks   // subscription, first event → events
	Backlogs // subscription → backlog
	Health   // subscription → health
	Bodies   // subscription, event → the override of the delivery's body
	Counts   // five minutes, subscription → what its attempts came to
	Expiries // when, in milliseconds, event → how many of its recipients are done with
	bucketCount
)

// Names are the names of the buckets, without that of the store.
var Names = [bucketCount]string{
	Meta:            "meta",
	Subscriptions:   "subscriptions",
	SubscriptionIDs: "subscription_ids",
	Tenants:         "tenants",
	Patterns:        "subscription_patterns",
	Events:          "events",
	EventIDs:        "event_ids",
	Rows:            "deliveries",
	States:          "states",
	Due:             "due",
	Keyed:           "keyed",
	Chunks:          "chunks",
	Backlogs:        "backlogs",
	Health:          "health",
	Bodies:          "bodies",
	Counts:          "attempt_counts",
	Expiries:        "expiries",
}

// NamesOf returns what the buckets of a store are called in the file. They are beside each other,
// and not in one of the store's own, because a commit writes the page of a bucket that has others.
func NamesOf(store string) *[bucketCount][]byte {
	names := new([bucketCount][]byte)
	for id, name := range Names {
		names[id] = []byte(store + "/" + name)
	}
	return names
}

// The keys of meta.
const (
	MetaFormat    = "format"    // the version of all this
	MetaWatermark = "watermark" // see package pending
	MetaRising    = "rising"    // where the watermark is going, or is
	MetaCount     = "count"     // how many subscriptions there are
	MetaClock     = "clock"     // how far the store's clock has come, see package txn
	// The latest time of an event that one after it went below, see enqueueTime.
	metaSetBack   = "setback"
	metaIndexed   = "indexed"   // see eventIDs
	metaErasures  = "erasures"  // events that are being erased, see erasures
	MetaOrphans   = "orphans"   // 1 when there may be events whose subscriptions are all deleted
	metaUnsettled = "unsettled" // how many tenants have a state, see tenantstates.go
	metaCounts    = "counts"    // the number of the last batch of counts, see package rollup
	MetaCursors   = "cursors"   // the key of cursors, see CursorKey
)

// format is the version that this package reads and writes. A file of another version is refused
// and left as it is, see CheckFormat.
const format = 5

// fill is how full the pages of an append-only bucket are packed. It is bbolt's FillPercent: where
// a page that has become too full is split. bbolt's default of a half would leave every page of the
// events half empty, because those are only appended.
const fill = 0.95
