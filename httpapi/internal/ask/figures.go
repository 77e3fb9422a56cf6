package ask

import "github.com/outhook/outhook/store"

// resolution is a store.Resolution in a request.
type resolution string

const (
	byMinute resolution = "minute"
	byHour   resolution = "hour"
)

// Figures reads a request of /webhooks.figures: of a webhook, or of all that the scope has. Without
// a resolution the figures are by the minute. With a webhook the query has the tenant too, which
// the webhook must be of; Dispatcher.Figures takes only one of them.
func Figures(f *Fields, s Scope) store.FiguresQuery {
	q := store.FiguresQuery{Tenant: s.Tenant, AnyTenant: s.AnyTenant, Per: store.PerMinute}
	q.SubscriptionID, _ = f.Text("id")
	if choice(f, "resolution", []resolution{byMinute, byHour}) == byHour {
		q.Per = store.PerHour
	}
	return q
}
