package console

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// action is a request that changes something, or asks before it is changed: the POST of a page, and
// the GET of one that confirms. What it names, it gets from the request's lookups.
type action struct{ *request }

// enable subscribes a webhook again. With "then" it goes on to the replay of what it has missed.
func (q action) enable() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	_, err = q.d.Update(q.r.Context(), sub.ID, func(s *store.Subscription) error {
		s.Status = store.Subscribed
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	if q.form.Get("then") == "replay" && q.access.May.Send() {
		return show.To("replay", "id", sub.ID, "state", form.Missed), nil, nil
	}
	return show.To("webhook", "id", sub.ID, "done", "enabled"), nil, nil
}

// pause keeps what is published for a webhook, and sends nothing.
func (q action) pause() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		_, err = q.d.Pause(q.r.Context(), sub.ID)
	}
	return show.To("webhook", "id", sub.ID, "done", "paused"), nil, err
}

// resume ends a pause.
func (q action) resume() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		_, err = q.d.Resume(q.r.Context(), sub.ID)
	}
	return show.To("webhook", "id", sub.ID, "done", "resumed"), nil, err
}

// disable unsubscribes a webhook.
func (q action) disable() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		_, err = q.d.Unsubscribe(q.r.Context(), sub.ID)
	}
	return show.To("webhook", "id", sub.ID, "done", "disabled"), nil, err
}

// remove deletes a webhook.
func (q action) remove() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err == nil {
		err = q.d.Delete(q.r.Context(), sub.ID)
	}
	return show.To("list", "done", "deleted"), nil, err
}

// maxSelected is how many deliveries one redelivery takes.
const maxSelected = read.PageSize

// redeliver sends deliveries again: the one of "id" and "event", or those that are selected, each
// as the ID of its webhook, a slash and that of its event. All of them are looked up before one is
// sent.
func (q action) redeliver() (string, *view, error) {
	ctx := q.r.Context()
	selected, many := q.form["d"], q.form.Has("many")
	if !many {
		selected = []string{q.form.Get("id") + "/" + q.form.Get("event")}
	}
	if len(selected) > maxSelected {
		return "", nil, &problem{400, "Too many", "At most " + strconv.Itoa(maxSelected) +
			" deliveries can be selected. Replay all that match instead."}
	}
	var all []store.Delivery
	seen := make(map[string]bool)
	for _, both := range selected {
		if seen[both] {
			continue
		}
		seen[both] = true
		d, err := q.resendable(both)
		if err != nil {
			return "", nil, err
		}
		all = append(all, d)
	}
	for i, d := range all {
		err := q.d.Redeliver(ctx, d.SubscriptionID, d.EventID)
		if err != nil && i == 0 {
			return "", nil, err
		}
		if err != nil { // those before it are on their way: the list says how many
			return q.toList(url.Values{"done": {"some"}, "n": {strconv.Itoa(i)},
				"of": {strconv.Itoa(len(all))}}, err)
		}
	}
	if !many {
		return show.To("delivery", "id", all[0].SubscriptionID, "event", all[0].EventID,
			"done", "redeliver"), nil, nil
	}
	done := "redeliver"
	if len(all) == 0 {
		done = "nothing"
	}
	return q.toList(url.Values{"done": {done}}, nil)
}

// resendable returns the delivery of a webhook's ID, a slash and an event's ID. It fails, and names
// it, if the delivery can't be sent again.
func (q action) resendable(both string) (store.Delivery, error) {
	id, event, _ := strings.Cut(both, "/")
	sub, d, err := q.read.Delivery(q.r.Context(), id, event)
	switch {
	case err != nil:
		return d, err
	case d.Erased:
		return d, &problem{409, "Erased", "What the event " + text.Line(d.EventID) +
			" carried was erased, so it can't be sent again."}
	case !sub.Collects():
		return d, &problem{409, "Not now", "The webhook " + read.Name(&sub) +
			" is off, so nothing can be sent to it. Enable it first."}
	}
	return d, nil
}

// toList leads back to the same list of deliveries, with what was done. What went wrong is logged.
func (q action) toList(done url.Values, wrong error) (string, *view, error) {
	if wrong != nil {
		q.explain(wrong)
	}
	f, err := q.readFilter()
	if err != nil {
		return "", nil, err
	}
	to := f.URL("deliveries")
	if strings.Contains(to, "?") {
		return to + "&" + done.Encode(), nil, nil
	}
	return to + "?" + done.Encode(), nil, nil
}

// errChanged refuses an action on a state of a webhook that it no longer has.
var errChanged = &problem{409, "Not done",
	"The webhook has changed meanwhile. Go back to it, and ask for a new key there."}

// rotate gives a webhook a new key, and goes on to the page that shows it. A form that is sent
// twice rotates once: the second finds a webhook that has changed since its page was made.
func (q action) rotate() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	hours, err := strconv.Atoi(q.form.Get("overlap"))
	if err != nil || hours < 0 || hours > 24*30 {
		return "", nil, &problem{400, "Not valid", "Choose one of the times for the old key."}
	}
	if q.form.Get("updated") != version(&sub) {
		return "", nil, errChanged
	}
	key := signing.Secret("") // of the kind that there is
	if kind := q.form.Get("kind"); kind != "" {
		key = signing.NewSecretOf(signing.Kind(kind))
	}
	// It may change until the key is stored too: of two forms that come at once, one rotates.
	sub, err = q.d.RotateSecretIf(q.r.Context(), sub.ID, sub.UpdatedAt, key,
		time.Duration(hours)*time.Hour)
	switch {
	case errors.Is(err, store.ErrConflict):
		return "", nil, errChanged
	case err != nil:
		return "", nil, err
	}
	q.jar.PassKey(sub.ID, newestKey(&sub))
	return show.To("key", "id", sub.ID), nil, nil
}

// erase removes what an event carried.
func (q action) erase() (string, *view, error) {
	_, d, err := q.read.Delivery(q.r.Context(), q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return "", nil, err
	}
	err = q.d.Erase(q.r.Context(), d.Tenant, d.EventID)
	return show.To("delivery", "id", d.SubscriptionID, "event", d.EventID, "done", "erased"), nil, err
}

// verify asks an endpoint whether it wants deliveries, and goes back to the webhook, which shows
// what it has answered.
func (q action) verify() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	a, err := q.d.Verify(q.r.Context(), sub.ID)
	switch {
	case errors.Is(err, store.ErrConflict):
		return "", nil, &problem{409, "Not now",
			"The URL was changed while its endpoint was asked. Ask again."}
	case err != nil:
		return "", nil, err
	}
	if a.Error == "" {
		return show.To("webhook", "id", sub.ID, "done", "verified"), nil, nil
	}
	q.jar.PassTest(sub.ID, "", &a, q.access.May.Payloads())
	return show.To("webhook", "id", sub.ID) + "#test", nil, nil
}

// test sends a ping and goes back to the webhook, which shows what came of it.
func (q action) test() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	a, err := q.d.Ping(q.r.Context(), sub.ID)
	if err != nil {
		return "", nil, err
	}
	q.jar.PassTest(sub.ID, "", &a, q.access.May.Payloads())
	return show.To("webhook", "id", sub.ID) + "#test", nil, nil
}
