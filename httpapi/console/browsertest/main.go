// Browsertest takes pictures of the console's pages in Debian's Chromium, with the data of a busy
// host, for docs/console.md. Its tests drive the same browser.
//
//	go run . -out ../../../docs/console
//	go run . -serve localhost:8099    no pictures: look yourself, at /admin/ and /portal/
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/busy"
	"github.com/outhook/outhook/store"
)

func main() {
	out := flag.String("out", "", "the folder to write pictures to")
	serve := flag.String("serve", "", "an address to serve the host at, until it is stopped")
	each := flag.Int("events", 300, "how many events each tenant publishes")
	flag.Parse()
	if err := run(*out, *serve, *each); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out, serve string, each int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	host, err := busy.New(ctx, each)
	if err != nil {
		return err
	}
	defer host.Close()
	handler, err := Handler(host)
	if err != nil {
		return err
	}
	if serve != "" {
		fmt.Printf("http://%s/admin/  http://%s/portal/\n", serve, serve)
		return (&http.Server{Addr: serve, Handler: handler,
			ReadHeaderTimeout: 10 * time.Second}).ListenAndServe()
	}
	pages, err := Pages(ctx, host)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	b, err := browser.New(ctx, handler)
	if err != nil {
		return err
	}
	defer b.Close()
	for _, p := range pages {
		for _, look := range browser.Looks() {
			picture, err := b.Picture(p.Path, look)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Path, err)
			}
			name := filepath.Join(out, p.Name+"-"+look.Name+".png")
			if err := os.WriteFile(name, picture, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// Handler is the host's mux: an operator's console and a customer's.
func Handler(host *busy.Host) (http.Handler, error) {
	mux := http.NewServeMux()
	operator := func(*http.Request) (console.Access, error) {
		return console.Access{AnyTenant: true, May: console.MayAll, Actor: "operator"}, nil
	}
	customer := func(*http.Request) (console.Access, error) {
		return console.Access{Tenant: busy.Tenants[0], May: console.MayAll}, nil
	}
	o := &console.Options{Title: "Shop webhooks", Environment: "staging"}
	if err := console.Mount(mux, "/admin/", host.Dispatcher, operator, o); err != nil {
		return nil, err
	}
	err := console.Mount(mux, "/portal/", host.Dispatcher, customer, &console.Options{Back: "/"})
	return mux, err
}

// Page is a page to look at.
type Page struct{ Name, Path string }

// Pages are pages of each kind, by webhooks and events of the host.
func Pages(ctx context.Context, host *busy.Host) ([]Page, error) {
	subs, err := host.Subscriptions(ctx, store.SubscriptionQuery{Tenant: busy.Tenants[0]})
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string)
	for _, s := range subs.Items {
		ids[s.Name] = s.ID
	}
	failed, err := host.Deliveries(ctx, store.DeliveryQuery{
		Tenant: busy.Tenants[0], SubscriptionID: ids["Billing"], Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(failed.Items) == 0 {
		return nil, fmt.Errorf("browsertest: %s has no deliveries", ids["Billing"])
	}
	event := failed.Items[0].EventID
	return []Page{
		{"overview", "/admin/"},
		{"webhooks", "/admin/list"},
		{"customer", "/portal/"},
		{"webhook", "/portal/webhook?id=" + ids["ERP"]},
		{"failing", "/portal/webhook?id=" + ids["Billing"]},
		{"disabled", "/portal/webhook?id=" + ids["Legacy importer"]},
		{"deliveries", "/admin/deliveries"},
		{"delivery", "/portal/delivery?id=" + ids["Billing"] + "&event=" + event},
		{"event", "/admin/event?id=order-4711"},
		{"not-found", "/portal/event?id=nothing"},
		{"new", "/portal/new"},
		{"edit", "/portal/edit?id=" + ids["Billing"]},
		{"types", "/portal/types"},
		{"rotate", "/portal/rotate?id=" + ids["ERP"]},
		{"delete", "/portal/delete?id=" + ids["ERP"]},
		{"replay", "/portal/replay?id=" + ids["Legacy importer"] + "&last=24h"},
	}, nil
}
