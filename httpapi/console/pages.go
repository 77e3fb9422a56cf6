package console

import (
	"time"

	"github.com/outhook/outhook/store"
)

// page is one name in the console's folder.
type page struct {
	get  func(*request) (*view, error) // if nil, it takes POST alone
	post func(action) (to string, form *view, err error)

	getNeeds, needs May // what the sender of a GET or a POST must be allowed
}

// pages returns all pages by their names, which are the last part of their URLs. None has a folder
// of its own, so a link is the name of a page wherever the console is mounted.
func pages() map[string]page {
	return map[string]page{
		"":           {get: (*request).home},
		"list":       {get: (*request).list},
		"webhook":    {get: (*request).webhook},
		"deliveries": {get: (*request).deliveries},
		"delivery":   {get: (*request).delivery},
		"event":      {get: (*request).event},
		"download":   {get: (*request).download, getNeeds: MayPayloads},
		"types":      {get: (*request).types},
		"example": {get: (*request).example, getNeeds: MayTest, post: action.sendExample,
			needs: MayTest},

		"new": {get: (*request).newForm, getNeeds: MayEdit, post: action.add, needs: MayEdit},
		"edit": {get: (*request).editForm, getNeeds: MayEdit, post: action.save,
			needs: MayEdit},
		"try":    {post: action.try, needs: MayEdit},
		"key":    {get: (*request).key, getNeeds: MayEdit},
		"enable": {post: action.enable, needs: MayEdit},
		"pause":  {post: action.pause, needs: MayEdit},
		"resume": {post: action.resume, needs: MayEdit},
		"disable": {get: asks(action.confirmDisable), getNeeds: MayEdit, post: action.disable,
			needs: MayEdit},
		"rotate": {get: asks(action.confirmRotate), getNeeds: MayEdit, post: action.rotate,
			needs: MayEdit},
		"delete": {get: asks(action.confirmDelete), getNeeds: MayEdit, post: action.remove,
			needs: MayEdit},
		"test":      {post: action.test, needs: MayTest},
		"verify":    {post: action.verify, needs: MayTest},
		"redeliver": {post: action.redeliver, needs: MaySend},
		"replay": {get: asks(action.confirmReplay), getNeeds: MaySend, post: action.replay,
			needs: MaySend},
		"progress": {get: asks(action.showProgress), getNeeds: MaySend},
		"erase": {get: asks(action.confirmErase), getNeeds: MayErase, post: action.erase,
			needs: MayErase},
	}
}

// home is the first page: what the operator must know, or a customer's webhooks.
func (q *request) home() (*view, error) {
	if q.access.AnyTenant {
		return q.overview()
	}
	return q.list()
}

// subscription returns the webhook of an ID if it is the sender's to see. Another tenant's is
// errNotFound, like one that does not exist and an ID that is none.
func (q *request) subscription(id string) (store.Subscription, error) {
	sub, err := q.d.Subscription(q.r.Context(), id)
	switch {
	case isInvalid(err):
		return store.Subscription{}, errNotFound
	case err != nil:
		return store.Subscription{}, err
	case !q.access.owns(sub.Tenant):
		return store.Subscription{}, errNotFound
	}
	return sub, nil
}

// oneDelivery returns the delivery that a request names by webhook and event, with its webhook.
func (q *request) oneDelivery(id, event string) (
	sub store.Subscription, d store.Delivery, err error,
) {
	sub, err = q.subscription(id)
	if err != nil {
		return sub, d, err
	}
	page, err := q.d.Deliveries(q.r.Context(), store.DeliveryQuery{
		Tenant: sub.Tenant, SubscriptionID: sub.ID, EventID: event, Limit: 1,
	})
	switch {
	case isInvalid(err) || err == nil && (event == "" || len(page.Items) == 0):
		return sub, d, errNotFound
	case err != nil:
		return sub, d, err
	}
	return sub, page.Items[0], nil
}

// scope returns a query of the deliveries that the sender may see. An operator may narrow it down
// to one tenant.
func (q *request) scope() store.DeliveryQuery {
	if !q.access.AnyTenant {
		return store.DeliveryQuery{Tenant: q.access.Tenant}
	}
	if tenant := q.form.Get("tenant"); tenant != "" {
		return store.DeliveryQuery{Tenant: tenant}
	}
	return store.DeliveryQuery{AnyTenant: true}
}

// pageSize is how many rows a table has.
const pageSize = 50

// readBudget is how long a page looks for what it shows, where it has to look at many records.
const readBudget = 300 * time.Millisecond
