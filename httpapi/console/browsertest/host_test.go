package browsertest

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/busy"
	"github.com/outhook/outhook/store"
)

var (
	pictures   = flag.String("pictures", "", "the folder to write pictures to")
	all        = flag.Bool("all", false, "pictures of all pages, not only of those in docs/console.md")
	serve      = flag.String("serve", "", "an address to serve the busy host at, until it is stopped")
	deliveries = flag.Int("deliveries", 0, "how many deliveries the busy host has")
)

// program is the Chromium of all tests; see newTab.
var program struct {
	*browser.Chromium
	err  error
	once sync.Once
}

// chromium starts the Chromium of all tests, at its first call.
func chromium(t *testing.T) *browser.Chromium {
	t.Helper()
	program.once.Do(func() {
		program.Chromium, program.err = browser.Start(context.Background())
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.Chromium
}

// one is the busy host of all tests, with a tab; see open.
var one struct {
	*browser.Browser
	host    *busy.Host
	handler http.Handler
	pages   []Page
	dir     string
	once    sync.Once
}

func TestMain(m *testing.M) {
	if !browser.Installed() {
		if os.Getenv("OUTHOOK_CI") != "" {
			fmt.Fprintln(os.Stderr, "chromium is not installed; .ci/run installs it")
			os.Exit(1)
		}
		fmt.Println("skipped: chromium is not installed")
		return
	}
	code := m.Run()
	if one.Browser != nil {
		// Of all pages that the tests have opened, whatever each has looked for.
		if trouble := one.AllTrouble(); len(trouble) > 0 {
			fmt.Fprintf(os.Stderr, "pages have done what they must not: %q\n", trouble)
			code = max(code, 1)
		}
		one.Close()
	}
	if program.Chromium != nil {
		program.Chromium.Close()
	}
	if one.host != nil {
		one.host.Close()
	}
	if one.dir != "" {
		_ = os.RemoveAll(one.dir)
	}
	os.Exit(code)
}

// open starts the busy host and the browser, at its first call.
func open(t *testing.T) {
	t.Helper()
	one.once.Do(func() {
		n := *deliveries
		if n == 0 {
			n = 3000
			if *pictures != "" || *serve != "" {
				n = 100_000
			}
		}
		var err error
		if one.dir, err = os.MkdirTemp("", "busy"); err != nil {
			t.Fatal(err)
		}
		if one.host, err = busy.New(t, one.dir, n); err != nil {
			t.Fatal(err)
		}
		if one.handler, err = newHandler(one.host); err != nil {
			t.Fatal(err)
		}
		if one.pages, err = somePages(t.Context(), one.host); err != nil {
			t.Fatal(err)
		}
		if one.Browser, err = chromium(t).New(one.handler); err != nil {
			t.Fatal(err)
		}
	})
	if one.Browser == nil {
		t.Fatal("the busy host or the browser did not start")
	}
}

// newHandler is the host's mux: an operator's console and a customer's.
func newHandler(host *busy.Host) (http.Handler, error) {
	mux := http.NewServeMux()
	operator := func(*http.Request) (console.Access, error) {
		return console.Access{AnyTenant: true, May: console.MayAll, Actor: "operator"}, nil
	}
	customer := func(*http.Request) (console.Access, error) {
		return console.Access{Tenant: busy.Tenants[0], May: console.MayAll}, nil
	}
	nobody := func(*http.Request) (console.Access, error) {
		return console.Access{Tenant: "newcomer", May: console.MayAll}, nil
	}
	o := &console.Options{Title: "Shop webhooks", Environment: "staging"}
	if err := console.Mount(mux, "/admin/", host.Dispatcher, operator, o); err != nil {
		return nil, err
	}
	if err := console.Mount(mux, "/empty/", host.Dispatcher, nobody, nil); err != nil {
		return nil, err
	}
	err := console.Mount(mux, "/portal/", host.Dispatcher, customer, &console.Options{Back: "/"})
	return mux, err
}

// Page is a page to look at.
type Page struct{ Name, Path string }

// shown are the pages whose pictures docs/console.md has.
var shown = []string{"overview", "webhooks", "failing", "deliveries", "delivery", "event", "new",
	"types", "rotate", "customer"}

// somePages are pages of each kind, by webhooks and events of the host.
func somePages(ctx context.Context, host *busy.Host) ([]Page, error) {
	subs, err := host.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true, Limit: 100})
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string)
	for _, s := range subs.Items {
		ids[s.Name+" "+s.Tenant] = s.ID
	}
	acme := func(name string) string { return "id=" + ids[name+" acme"] }
	one := acme("Billing") + "&event=" + busy.Order
	return []Page{
		{"overview", "/admin/"},
		{"webhooks", "/admin/list"},
		{"webhooks-failing", "/admin/list?state=failing"},
		{"customer", "/portal/"},
		{"empty", "/empty/"},
		{"webhook", "/portal/webhook?" + acme("ERP")},
		{"failing", "/portal/webhook?" + acme("Billing")},
		{"disabled", "/portal/webhook?" + acme("Team chat")},
		{"throttled", "/portal/webhook?" + acme("Partner API")},
		{"paused", "/portal/webhook?" + acme("Fraud check")},
		{"unsubscribed", "/portal/webhook?" + acme("Search index")},
		{"overlap", "/portal/webhook?" + acme("Warehouse")},
		{"new-webhook", "/portal/webhook?" + acme("Nightly reports")},
		{"unsigned", "/admin/webhook?id=" + ids["Team chat globex"]},
		{"unreadable", "/admin/webhook?id=" + ids["Ledger initech"]},
		{"deliveries", "/admin/deliveries"},
		{"deliveries-pending", "/portal/deliveries?state=pending"},
		{"deliveries-filter", "/admin/deliveries?status=4xx&last=24h&count=1"},
		{"deliveries-wrong", "/admin/deliveries?status=x&since=x"},
		{"delivery", "/portal/delivery?" + one},
		{"event", "/admin/event?id=" + busy.Order},
		{"not-found", "/portal/event?id=nothing"},
		{"unknown", "/portal/nothing"},
		{"new", "/portal/new"},
		{"edit", "/portal/edit?" + acme("Billing")},
		{"types", "/portal/types"},
		{"example", "/portal/example?type=order.created"},
		{"rotate", "/portal/rotate?" + acme("ERP")},
		{"disable", "/portal/disable?" + acme("ERP")},
		{"delete", "/portal/delete?" + acme("ERP")},
		{"replay", "/portal/replay?" + acme("ERP") + "&state=dead"},
		{"replay-nothing", "/portal/replay?" + acme("Nightly reports") + "&last=1h"},
		{"erase", "/portal/erase?" + one},
		{"key-shown", "/portal/key?" + acme("ERP")},
	}, nil
}
