package main

import (
	"context"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/oauth2auth"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func init() {
	parts["oauth2auth"] = func(ctx context.Context) error {
		none := func(store.Subscription) *clientcredentials.Config { return nil }
		o := *options
		o.Authenticate = oauth2auth.New(none, nil).Authenticate
		d, err := dispatcher.New(memstore.New(), &o)
		if err != nil {
			return err
		}
		return deliver(ctx, d)
	}
}
