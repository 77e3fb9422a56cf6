package console

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// A replay is a page that counts what a filter selects, and then one step for each POST. Between
// the steps is a page of its own, whose URL has the cursor and the count: it survives a reload and
// a restart of the host, and a step is repeated by nothing but its own form.

// errReplaysAll refuses a replay of everything that there is, which nobody means.
var errReplaysAll = &problem{400, "Too much",
	"Name a webhook, a state, a type, an event or a time. A replay of everything is refused."}

// replayFilter reads the filter of a replay. name is that of its webhook; empty if it is of
// several.
func (q action) replayFilter() (f form.Filter, name string, err error) {
	f, err = q.readFilter()
	switch {
	case err != nil:
		return f, "", err
	case f.Problem != "":
		return f, "", &problem{400, "Not valid", f.Problem}
	case f.ID == "" && !f.Any():
		return f, "", errReplaysAll
	case f.ID != "":
		var sub store.Subscription
		sub, err = q.subscription(f.ID)
		name = read.Name(&sub)
	}
	return f, name, err
}

// replayLines say what a replay is of.
func replayLines(f *form.Filter, name string) []string {
	webhook := "Of all webhooks"
	if name != "" {
		webhook = "Webhook: " + name
	}
	return append([]string{webhook}, f.Words()...)
}

// countBudget is how long a page counts what a replay would take.
const countBudget = 2 * time.Second

// confirmReplay counts what a replay would take. Its form has fixed times, so the replay is of what
// was counted and not of what "the last hour" is when the button is pressed.
func (q action) confirmReplay() (*view, error) {
	f, name, err := q.replayFilter()
	if err != nil {
		return nil, err
	}
	back := f.URL("deliveries")
	f.Freeze(time.Now())
	ctx, cancel := context.WithTimeout(q.r.Context(), countBudget)
	defer cancel()
	n, err := q.d.ReplayCount(ctx, f.Query)
	atLeast := ""
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		atLeast = "more than "
	case err != nil:
		return nil, err
	}
	c := confirmation{
		Heading: "Replay " + atLeast + show.Plural(n, "delivery") + "?", Button: "Replay",
		Action: "replay", Back: back, Nothing: n == 0 && atLeast == "", Fields: f.Fields(),
		Lines: append(replayLines(&f, name),
			"They are sent again with the same content and the same webhook-id, "+
				"in the order in which they were published.",
			"Those of webhooks that are off and of erased events are passed over."),
	}
	if c.Nothing {
		c.Heading = "Nothing to replay"
		c.Lines = append(replayLines(&f, name),
			"No delivery matches that is over and whose webhook is enabled.")
	}
	return confirm(c)
}

// replay takes one step, and goes on to the page of the next one, or to the deliveries after the
// last.
func (q action) replay() (string, *view, error) {
	f, _, err := q.replayFilter()
	if err != nil {
		return "", nil, err
	}
	if f.Query.Until.IsZero() { // a form without times must not change between its steps
		f.Freeze(time.Now())
	}
	cursor, sent := q.form.Get("cursor"), q.sent()
	query := f.Query
	query.Cursor, query.Limit = cursor, dispatcher.MaxReplayStep
	step, err := q.d.ReplayStep(q.r.Context(), query)
	switch {
	case err != nil && step.Replayed > 0:
		// They are pending; only those that are held wait for their next probe.
		q.logFailure(err)
	case err != nil && (cursor == "" || errors.As(err, new(*events.InvalidError))):
		return "", nil, err
	case err != nil:
		v, again := q.progress(cursor, q.explain(err))
		return "", v, again
	}
	sent += step.Replayed
	if step.Next == "" {
		return q.toList(url.Values{"done": {"replayed"}, "n": {strconv.Itoa(sent)}}, nil)
	}
	return progressURL(f, step.Next, sent), nil, nil
}

// progressURL returns the URL of the page between two steps.
func progressURL(f form.Filter, cursor string, sent int) string {
	pairs := []string{"cursor", cursor, "sent", strconv.Itoa(sent)}
	for _, field := range f.Fields() {
		pairs = append(pairs, field[0], field[1])
	}
	return show.To("progress", pairs...)
}

// sent returns how many deliveries the steps before this one have made pending, as the form says.
func (q action) sent() int {
	n, err := strconv.Atoi(q.form.Get("sent"))
	if err != nil || n < 0 || n > 1e12 {
		return 0
	}
	return n
}

// showProgress shows how far a replay is.
func (q action) showProgress() (*view, error) {
	return q.progress(q.form.Get("cursor"), nil)
}

// progress shows how far a replay is, with what went wrong in its last step, if anything did.
func (q action) progress(cursor string, wrong *problem) (*view, error) {
	f, name, err := q.replayFilter()
	if err != nil {
		return nil, err
	}
	c := confirmation{
		Heading: fmt.Sprintf("Replay: %s so far", show.Plural(q.sent(), "delivery")),
		Action:  "replay", Button: "Go on", GoOn: wrong == nil, Back: f.URL("deliveries"),
		Fields: append(f.Fields(), [2]string{"cursor", cursor},
			[2]string{"sent", strconv.Itoa(q.sent())}),
		Lines: append(replayLines(&f, name), "There are more. Those so far are pending again."),
	}
	v, err := confirm(c)
	if wrong != nil {
		c.Problem = wrong.text
		v.data, v.status = c, wrong.status
	}
	return v, err
}
