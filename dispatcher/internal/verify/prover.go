package verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Prover asks endpoints. It is safe for concurrent use.
type Prover struct {
	o      Options
	sender *send.Sender
	event  string // the type of a challenge
}

// NewProver returns a Prover with valid options. Its challenges are events of a type.
func NewProver(o Options, sender *send.Sender, eventType string) *Prover {
	return &Prover{o: o, sender: sender, event: eventType}
}

// Proof says that an endpoint has agreed.
type Proof struct {
	URL  string  // of the endpoint
	Rate float64 // how many deliveries a second it allows; if zero, any number
}

// ErrMoved says that the URL of a subscription is not the one that the proof is of.
var ErrMoved = fmt.Errorf("dispatcher: the URL has changed since the endpoint was asked: %w",
	store.ErrConflict)

// Apply records the proof in the subscription, whose deliveries can then go.
func (p *Proof) Apply(sub *store.Subscription) error {
	if sub.URL != p.URL {
		return ErrMoved
	}
	sub.AllowedRate, sub.NeedsProof = p.Rate, false
	sub.VerifiedAt = time.Now().UTC().Truncate(time.Millisecond)
	if sub.Status == store.Unverified {
		sub.Status = store.Subscribed
	}
	return nil
}

// Ask asks the endpoint of a subscription now, by a policy. If it agrees, there is a proof, and the
// attempt has no error.
func (p *Prover) Ask(
	ctx context.Context, sub *store.Subscription, policy *send.Policy,
) (store.Attempt, *Proof, error) {
	if p.o.Method == Handshake {
		return p.handshake(ctx, sub, policy)
	}
	return p.challenge(ctx, sub, policy)
}

// randomBytes is how long a challenge is before it is encoded: nobody guesses it.
const randomBytes = 24

func (p *Prover) challenge(
	ctx context.Context, sub *store.Subscription, policy *send.Policy,
) (store.Attempt, *Proof, error) {
	var random [randomBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	want := base64.RawURLEncoding.EncodeToString(random[:])
	e, err := events.New(p.event, map[string]string{"id": sub.ID, "challenge": want})
	if err != nil {
		return store.Attempt{}, nil, err
	}
	c, err := claimOf(sub, &e)
	if err != nil {
		return store.Attempt{}, nil, err
	}
	var x send.Exchange
	r := p.sender.Exchange(ctx, c, policy, &x)
	if r.Attempt.Error != "" {
		return r.Attempt, nil, nil
	}
	if !agrees(x.Body, x.Sent, want) {
		r.Attempt.Error = send.ClassResponse + ": the answer is not the challenge; answer with it " +
			`alone, as text or as {"challenge":"…"}, and not with what was sent`
		return r.Attempt, nil, nil
	}
	return r.Attempt, &Proof{URL: sub.URL}, nil
}

// claimOf returns what is sent of an event as if it had been claimed. It is sent whole: Fields are
// for the owner's events, and could leave out the challenge.
func claimOf(sub *store.Subscription, e *events.Event) (*store.Claim, error) {
	whole := *sub
	whole.Fields = nil
	body, err := e.Body()
	return &store.Claim{
		Lease:        store.Lease{SubscriptionID: sub.ID, EventID: e.ID},
		Subscription: &whole,
		Health:       new(store.Health),
		EventType:    e.Type,
		Tenant:       sub.Tenant,
		EventTime:    e.Time,
		Body:         body,
		Attempt:      1,
	}, err
}

// form is how a body says a challenge.
type form int

const (
	noForm form = iota // it does not
	text               // it is the challenge
	object             // it is a JSON object whose only member is the challenge
)

// formOf returns how a body says a challenge. An object with more members does not: it may be the
// request, or what Transform has made of it.
func formOf(body []byte, challenge string) form {
	body = bytes.TrimSpace(body)
	if string(body) == challenge {
		return text
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || len(members) != 1 {
		return noForm
	}
	var value string
	if json.Unmarshal(members["challenge"], &value) != nil || value != challenge {
		return noForm
	}
	return object
}

// agrees reports whether an answer is the challenge, and not what was sent: an endpoint that
// returns what it gets has not agreed to anything. Transform may have sent the challenge alone.
// Then an answer of the same form is no proof, however it is spaced, and one of the other form is.
func agrees(answer, sent []byte, challenge string) bool {
	f := formOf(answer, challenge)
	return f != noForm && f != formOf(sent, challenge)
}

func (p *Prover) handshake(
	ctx context.Context, sub *store.Subscription, policy *send.Policy,
) (store.Attempt, *Proof, error) {
	header := http.Header{send.HeaderRequestOrigin: {p.o.Origin}}
	if p.o.Rate > 0 {
		header.Set("WebHook-Request-Rate", strconv.Itoa(p.o.Rate))
	}
	if p.o.Callback != "" {
		header.Set(send.HeaderRequestCallback, p.o.address(sub, time.Now()))
	}
	e, err := events.New(p.event, map[string]string{"id": sub.ID}) // nothing of it is sent
	if err != nil {
		return store.Attempt{}, nil, err
	}
	c, err := claimOf(sub, &e)
	if err != nil {
		return store.Attempt{}, nil, err
	}
	x := send.Exchange{Options: header}
	r := p.sender.Exchange(ctx, c, policy, &x)
	if r.Attempt.Status < 200 || r.Attempt.Status > 299 { // or there was no answer
		if r.Attempt.Error == "" { // which Options.Success takes
			r.Attempt.Error = send.ClassHTTPStatus + ": the answer to OPTIONS is no 2xx"
		}
		return r.Attempt, nil, nil
	}
	rate, wrong := p.o.allowed(x.Header)
	if r.Attempt.Error = wrong; wrong != "" {
		r.Attempt.Error = send.ClassResponse + ": " + wrong
		return r.Attempt, nil, nil
	}
	return r.Attempt, &Proof{URL: sub.URL, Rate: rate}, nil
}

// allowed reads what an endpoint allows. Its consent is in the headers and not in the status: many
// answer any OPTIONS with 200.
func (o *Options) allowed(h http.Header) (rate float64, wrong string) {
	origin := strings.TrimSpace(h.Get("WebHook-Allowed-Origin"))
	switch {
	case origin == "":
		return 0, "the answer to OPTIONS has no WebHook-Allowed-Origin; name " + o.Origin + " in it"
	case origin != "*" && !strings.EqualFold(origin, o.Origin):
		return 0, "the answer to OPTIONS allows another origin; name " + o.Origin + " in it"
	}
	text := strings.TrimSpace(h.Get("WebHook-Allowed-Rate"))
	if text == "" {
		if o.Rate > 0 { // it must be there then
			return 0, "the answer to OPTIONS has no WebHook-Allowed-Rate; give deliveries a minute, or *"
		}
		return 0, ""
	}
	rate, ok := rateOf(text)
	if !ok {
		return 0, "the WebHook-Allowed-Rate is no number; give deliveries a minute, or *"
	}
	return rate, ""
}

// maxMinuteRate is the highest rate that is kept. Beyond it, any number is as good.
const maxMinuteRate = 60 * 1_000_000

// rateOf reads a WebHook-Allowed-Rate, deliveries a minute, as deliveries a second; zero is any
// number.
func rateOf(text string) (rate float64, ok bool) {
	if text == "*" {
		return 0, true
	}
	n, err := strconv.ParseUint(text, 10, 32)
	return float64(min(n, maxMinuteRate)) / 60, err == nil && n > 0
}
