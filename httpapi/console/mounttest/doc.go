// Package mounttest has the console mounted in every way that hosts have: by net/http, chi and
// gorilla/mux, and behind a real nginx that removes a prefix or keeps it. Each is told nothing of
// the others. It has nothing but tests, in a module of its own.
//
// Without nginx its rows are skipped, and fail in CI.
package mounttest
