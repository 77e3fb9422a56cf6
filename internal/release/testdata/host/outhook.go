package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/boltstore"
)

func init() {
	parts["outhook"] = func(ctx context.Context) error {
		dir, err := os.MkdirTemp("", "host-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s, err := boltstore.Open(filepath.Join(dir, "webhooks.db"), nil)
		if err != nil {
			return err
		}
		defer s.Close()
		d, err := dispatcher.New(s, options)
		if err != nil {
			return err
		}
		if err := httpapi.Mount(http.NewServeMux(), d, httpapi.NoAuth, nil); err != nil {
			return err
		}
		return deliver(ctx, d)
	}
}
