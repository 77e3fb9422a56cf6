package main

import (
	"net/http"

	"github.com/outhook/outhook/httpapi/console"
)

// mountConsole adds the page on which people look at webhooks. Here everybody is the operator: a
// program that others can reach asks who it is.
func mountConsole(mux *http.ServeMux, h *host) error {
	everybody := func(*http.Request) (console.Access, error) {
		return console.Access{AnyTenant: true, May: console.MayAll, Actor: "quickstart"}, nil
	}
	return console.Mount(mux, "/console/", h.webhooks, everybody,
		&console.Options{Title: "Quickstart", Environment: "this machine"})
}
