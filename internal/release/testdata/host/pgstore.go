package main

import (
	"context"
	"errors"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

var _ store.Store = (*pgstore.Store)(nil)

func init() {
	parts["pgstore"] = func(ctx context.Context) error {
		// No server listens there: what is shown is that the module is linked in and answers.
		_, err := pgstore.Open(ctx, "postgres://nobody@127.0.0.1:1/none?connect_timeout=5", nil)
		if err == nil || !strings.HasPrefix(err.Error(), "pgstore: ") {
			return errors.Join(errors.New("want an error that begins with \"pgstore: \""), err)
		}
		return nil
	}
}
