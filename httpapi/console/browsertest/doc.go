// Package browsertest drives the console's pages in Debian's Chromium, with the data of a busy
// host. It has tests alone. Two of them do something only with a flag: one takes the pictures of
// docs/console.md, and the other serves the busy host, to look at it yourself at /admin/ and
// /portal/.
//
//	go test -run TestPictures -pictures ../../../docs/console
//	go test -run TestServe -serve localhost:8099 -timeout 0
package browsertest
