// Package oauth2auth has deliveries carry OAuth 2.0 access tokens of the client credentials grant
// (RFC 6749, section 4.4; RFC 6750). It is a module of its own, so that a host without them does
// not download golang.org/x/oauth2.
//
//	tokens := oauth2auth.New(func(sub store.Subscription) *clientcredentials.Config {
//		return configs[sub.ID] // nil: no token
//	}, nil)
//	d, err := dispatcher.New(s, &dispatcher.Options{Authenticate: tokens.Authenticate})
//
// # Tokens
//
// A [Source] keeps one token for each configuration that it is given, by what the configuration
// says, so that subscriptions of one client share a token. However many attempts need one, there is
// one request for it at a time, which no attempt that is cut off takes with it. A token is renewed
// in the background in the last fifth of its time, a minute before its end at most; the old one is
// used until it is about to end. A token without an end is used until an endpoint refuses it.
//
// If an endpoint answers 401, the token is dropped, and the dispatcher tries once more with a new
// one within the same attempt, as Amazon's EventBridge does for its API destinations. A token that
// is younger than [MinAge] is not dropped: an endpoint that refuses every token must not have one
// fetched at each attempt.
//
// # When there is none
//
// An authorization server that does not answer fails the attempt with an error of
// dispatcher.ClassSender, which is counted and retried, and leaves the health of the subscription
// as it is. After a failure the server is left alone for [RetryAfter]. The error, which the host's
// log gets, says which status the server has answered and its error code, and never what it said
// otherwise, a URL or a secret. In the history the Authorization header is masked.
//
// # Where tokens come from
//
// The host's function decides who is asked. Where the owners of subscriptions choose the TokenURL,
// give Options.Client a transport that dials by dispatcher.GuardedDialer, or anybody can have the
// host send requests into its own network:
//
//	dialer, err := dispatcher.GuardedDialer(&o)
//	client := &http.Client{
//		Timeout:       10 * time.Second,
//		Transport:     &http.Transport{DialContext: dialer.DialContext},
//		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
//	}
//	tokens := oauth2auth.New(config, &oauth2auth.Options{Client: client})
package oauth2auth
