package browsertest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
)

// What a picture for a document has of the height of a page.
const docHeight = 1150

// TestPictures takes the pictures of docs/console.md, with the flag -pictures: pages in light and
// in dark, and the list of a customer on a narrow screen. With -all it takes all pages, whole.
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
			height := int64(4000)
			if !*all {
				height = docHeight
				narrow := look.Width < 600
				if !slices.Contains(shown, page.Name) || narrow != (page.Name == "customer") {
					continue
				}
			}
			picture, err := one.Picture(page.Path, look, height)
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
