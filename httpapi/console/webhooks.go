package console

import (
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/flash"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// webhookPage is the data of the page of one webhook.
type webhookPage struct {
	read.WebhookPage
	Description string
	Labels      []string // of its owner's, as "key = value"
	Headers     []string // names alone
	Filter      string
	Fields      []string
	PublicKeys  []signing.PublicKey // of those that are Ed25519
	Bars        []show.Bar
	Rows        deliveryRows
	Test        *flash.Test
}

// webhook shows one webhook, and what to do about whatever is wrong with it.
func (q *request) webhook() (*view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	data := webhookPage{
		Description: text.Line(sub.Description), Headers: headerNames(&sub),
		Filter: sub.Filter, Fields: sub.Fields, PublicKeys: sub.PublicKeys(time.Now()),
	}
	for _, key := range slices.Sorted(maps.Keys(sub.Metadata)) {
		data.Labels = append(data.Labels, text.Line(key+" = "+sub.Metadata[key]))
	}
	if data.WebhookPage, err = q.read.WebhookPage(q.r.Context(), &sub); err != nil {
		return nil, err
	}
	data.Rows = deliveryRows{Rows: show.NewRows(data.Last, q.d.MaxAttempts()), OneWebhook: true}
	may := q.access.May
	data.Bars = show.Bars(&sub, &data.Stats, data.Facts, show.Reader{Edit: may.Edit(),
		Test: may.Test(), Send: may.Send(), Operator: q.access.AnyTenant})
	data.Test = q.jar.TakeTest(sub.ID, "", may.Payloads())
	return &view{template: "webhook", title: data.Name, data: data, live: true}, nil
}

// headerNames returns the names of a webhook's own headers.
func headerNames(sub *store.Subscription) []string {
	if sub.SealedWith != "" {
		return nil
	}
	names := slices.Sorted(maps.Keys(sub.Headers))
	for i := range names {
		names[i] = text.Line(names[i])
	}
	return names
}
