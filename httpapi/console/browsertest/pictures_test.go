package browsertest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
)

// TestPictures takes pictures of all pages, with the flag -pictures.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("no pictures are asked for: -pictures DIR")
	}
	open(t)
	go one.host.Live(t.Context())
	if err := os.MkdirAll(*pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, page := range one.pages {
		for _, look := range browser.Looks() {
			picture, err := one.Picture(page.Path, look, 4000)
			if err != nil {
				t.Fatalf("%s: %v", page.Path, err)
			}
			name := filepath.Join(*pictures, page.Name+"-"+look.Name+".png")
			if err := os.WriteFile(name, picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestServe serves the busy host until it is stopped, with the flag -serve.
func TestServe(t *testing.T) {
	if *serve == "" {
		t.Skip("nothing is to be served: -serve ADDRESS")
	}
	open(t)
	go one.host.Live(t.Context())
	fmt.Printf("http://%[1]s/admin/  http://%[1]s/portal/\n", *serve)
	server := &http.Server{Addr: *serve, Handler: one.handler, ReadHeaderTimeout: 10 * time.Second}
	t.Fatal(server.ListenAndServe())
}
