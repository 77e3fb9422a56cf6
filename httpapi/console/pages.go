package console

import "github.com/outhook/outhook/store"

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
	if !q.access.AnyTenant {
		return q.list()
	}
	data, err := q.read.Overview(q.r.Context())
	if err != nil {
		return nil, err
	}
	return &view{template: "overview", title: "Overview", data: data, live: true}, nil
}

// subscription returns the webhook of an ID if it is the sender's to see.
func (q *request) subscription(id string) (store.Subscription, error) {
	return q.read.Subscription(q.r.Context(), id)
}
