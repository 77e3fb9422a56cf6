package oauth2auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	// A token is renewed before its end: by a fifth of its time, or earliest; and not used any more
	// a tenth of its time before, or latest, because the clocks differ and a request takes time.
	earliest = time.Minute
	latest   = 10 * time.Second

	// unusedFor is after how long a token that nobody has asked for may be forgotten, and minTokens
	// how many there are before such are looked for.
	unusedFor = 10 * time.Minute
	minTokens = 1024
)

// token is that of one configuration.
type token struct {
	// The first configuration with this content, which is the one that remembers how its server
	// takes the client's secret.
	config *clientcredentials.Config

	value     string // of the header; empty if there is none
	fetchedAt time.Time
	renewAt   time.Time // zero if it has no end
	uselessAt time.Time

	failedAt time.Time // when the last request failed
	failure  error

	usedAt  time.Time
	request *request // that is under way; nil if none is
}

// request is a request for a token. What it has come to may be read once done is closed.
type request struct {
	done  chan struct{}
	value string
	err   error
}

// usable reports whether the token can be sent.
func (t *token) usable(now time.Time) bool {
	return t.value != "" && (t.uselessAt.IsZero() || now.Before(t.uselessAt))
}

// renew reports whether it is time for another one.
func (t *token) renew(now time.Time) bool {
	return t.value == "" || !t.renewAt.IsZero() && !now.Before(t.renewAt)
}

// take takes in a new token.
func (t *token) take(got *oauth2.Token, now time.Time) {
	t.value = got.Type() + " " + got.AccessToken
	t.fetchedAt, t.renewAt, t.uselessAt = now, time.Time{}, time.Time{}
	t.failedAt, t.failure = time.Time{}, nil
	if !got.Expiry.IsZero() {
		life := time.Until(got.Expiry)
		t.renewAt = now.Add(life - min(life/5, earliest))
		t.uselessAt = now.Add(life - min(life/10, latest))
	}
}

// get requests a token. A panic of the host's client is an error.
func get(config *clientcredentials.Config, client *http.Client) (got *oauth2.Token, err error) {
	defer func() {
		if p := recover(); p != nil {
			got, err = nil, fmt.Errorf("oauth2auth: the client panicked: %v", p)
		}
	}()
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	if got, err = config.Token(ctx); err != nil {
		return nil, plain(err)
	}
	return got, nil
}

// plain returns an error that is fit for a log: what the server has said, the URL and the client's
// secret, which may be in the error, are not in it.
func plain(err error) error {
	var answer *oauth2.RetrieveError
	var sending *url.Error
	switch {
	case errors.As(err, &answer) && answer.Response != nil:
		text := fmt.Sprintf("oauth2auth: the authorization server answered %d",
			answer.Response.StatusCode)
		if isCode(answer.ErrorCode) {
			text += ": " + answer.ErrorCode
		}
		return errors.New(text)
	case errors.As(err, &sending):
		return fmt.Errorf("oauth2auth: the authorization server gave no answer: %w", sending.Err)
	}
	return errors.New("oauth2auth: the authorization server's answer has no token")
}

// isCode reports whether a text may be an error code, such as invalid_client (RFC 6749, 5.2).
func isCode(text string) bool {
	return text != "" && len(text) <= 64 &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// key is what a configuration says, in a form that has no secret.
type key [sha256.Size]byte

func keyOf(c *clientcredentials.Config) key {
	text, err := json.Marshal([]any{
		c.ClientID, c.ClientSecret, c.TokenURL, c.Scopes, c.EndpointParams.Encode(), c.AuthStyle,
	})
	if err != nil { // strings and a number can be encoded
		panic("oauth2auth: " + err.Error())
	}
	return sha256.Sum256(text)
}

// tokens are those of all configurations.
type tokens struct {
	kept    map[key]*token
	sweepAt int // how many there are when unused ones are looked for
}

func newTokens() tokens { return tokens{kept: make(map[key]*token), sweepAt: minTokens} }

// of returns the token of a configuration, which may have no value yet.
func (ts *tokens) of(config *clientcredentials.Config, now time.Time) *token {
	k := keyOf(config)
	t := ts.kept[k]
	if t == nil {
		ts.sweep(now)
		t = &token{config: config}
		ts.kept[k] = t
	}
	t.usedAt = now
	return t
}

// sweep forgets tokens that nobody has asked for lately, once there are twice as many as it left
// the last time: so each new one pays for a bounded part of a sweep.
func (ts *tokens) sweep(now time.Time) {
	if len(ts.kept) < ts.sweepAt {
		return
	}
	for k, t := range ts.kept {
		if t.request == nil && now.Sub(t.usedAt) >= unusedFor {
			delete(ts.kept, k)
		}
	}
	ts.sweepAt = max(2*len(ts.kept), minTokens)
}
