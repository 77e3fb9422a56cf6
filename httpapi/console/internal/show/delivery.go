package show

import (
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// Row is a delivery in a table.
type Row struct {
	store.Delivery
	Status  State
	Answer  string
	Took    string // from when it was published to when it ended; empty if it was never tried
	Webhook string // its name
}

// NewRows returns deliveries as the rows of a table, with IDs in place of the names of webhooks.
// most is how many attempts a delivery gets.
func NewRows(all []store.Delivery, most int) []Row {
	rows := make([]Row, len(all))
	for i, d := range all {
		rows[i] = Row{Delivery: d, Status: DeliveryState(&d, most), Webhook: Short(d.SubscriptionID)}
		if d.State != store.Canceled {
			rows[i].Answer = Answer(d.LastStatus, d.LastError)
		}
		if d.Attempts > 0 && !d.FinishedAt.IsZero() {
			rows[i].Took = Duration(max(d.FinishedAt.Sub(d.CreatedAt), 0))
		}
	}
	return rows
}

// Attempt is an attempt as the page of a delivery shows it.
type Attempt struct {
	store.Attempt
	Status       State
	Answer       string // in a few words
	Reason       string // the whole of Error
	Advice       string
	Body         string // how the answer began
	BodyShown    bool
	HasBody      bool
	AnswerStatus int
	Phases       string
	Remote       string // for the operator alone
	Sent, Got    []store.HeaderField
	SentCut      bool
	GotCut       bool
}

// NewAttempt returns what is shown of an attempt. The answer may repeat the payload: only those who
// may see payloads see its headers and its body, and the body only if the host redacts nothing.
// Only an operator sees the address that it went to.
func (e *Events) NewAttempt(a store.Attempt, operator bool) Attempt {
	out := Attempt{Attempt: a, Answer: Answer(a.Status, a.Error), Reason: Reason(a.Error),
		Advice: Advice(a.Status, a.Error), AnswerStatus: a.Status, HasBody: len(a.Response) > 0,
		BodyShown: e.Payloads && e.Redact == nil}
	if dispatcher.ErrorClass(a.Error) == dispatcher.ClassHTTPStatus {
		out.Answer, out.Reason = out.Reason, "" // one line says both
	}
	out.Status = State{Kind: "ok", Word: "succeeded"}
	if a.Error != "" {
		out.Status = State{Kind: "bad", Word: "failed"}
	}
	if out.BodyShown {
		out.Body, _ = text.Body(a.Response, store.MaxResponse)
	}
	if d := a.Detail; d != nil && d.Sealed == nil {
		out.Phases = phases(d)
		out.Sent, out.SentCut = shownHeaders(d.Request, operator), d.RequestCut
		if e.Payloads {
			out.Got, out.GotCut = shownHeaders(d.Answer, operator), d.AnswerCut
		}
		if operator {
			out.Remote = text.Line(d.RemoteAddress)
		}
	}
	return out
}

// phases says how long each part of an attempt took.
func phases(d *store.AttemptDetail) string {
	var parts []string
	if d.Reused {
		parts = append(parts, "connection kept")
	}
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"name", d.DNS}, {"connect", d.Connect}, {"TLS", d.TLS}, {"first byte", d.FirstByte}} {
		if p.took > 0 {
			parts = append(parts, p.name+" "+Duration(p.took))
		}
	}
	return strings.Join(parts, " · ")
}

// shownHeaders returns headers as a page has them. To a customer, the host is who sends: those that
// name the software that it uses, in their name or their value, are the operator's.
func shownHeaders(all []store.HeaderField, operator bool) []store.HeaderField {
	var out []store.HeaderField
	for _, h := range all {
		if !operator && (namesSoftware(h.Name) || namesSoftware(h.Value)) {
			continue
		}
		out = append(out, store.HeaderField{Name: text.Line(h.Name), Value: text.Line(h.Value)})
	}
	return out
}

// namesSoftware reports whether a text has the name of this module, or of the integration whose
// contract it keeps, as a word.
func namesSoftware(s string) bool {
	words := strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return c < 'a' || c > 'z' })
	return slices.Contains(words, "outhook") || slices.Contains(words, "airy")
}
