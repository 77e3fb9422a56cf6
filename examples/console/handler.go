package main

import (
	"crypto/rand"
	"errors"
	"html/template"
	"net/http"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console"
)

// newHandler returns the host's mux: its own pages, and the console three times.
func newHandler(s *shop, people *accounts) (http.Handler, error) {
	mux := http.NewServeMux()
	err := errors.Join(
		mountStaff(mux, s.webhooks, people),
		mountCustomers(mux, s.webhooks, people),
		mountPartner(mux, s.webhooks, people),
	)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if a := people.of(r); a != nil {
			show(w, "home", a)
			return
		}
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { show(w, "login", "") })
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if !people.login(w, r) {
			w.WriteHeader(http.StatusUnauthorized)
			show(w, "login", "The name or the password is wrong.")
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		people.logout(r)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	})
	// Pages of other sites can't log anybody in or out. The console checks its own forms too.
	return http.NewCrossOriginProtection().Handler(mux), err
}

// errNotYours refuses who is logged in and has no business here.
var errNotYours = errors.New("the page is for others")

// mountStaff mounts the console in which the operator sees the webhooks of all customers.
func mountStaff(mux *http.ServeMux, d *dispatcher.Dispatcher, people *accounts) error {
	who := func(r *http.Request) (console.Access, error) {
		switch a := people.of(r); {
		case a == nil:
			return console.Access{}, &console.Redirect{URL: "/login"}
		case !a.staff:
			return console.Access{}, errNotYours
		default:
			return console.Access{AnyTenant: true, May: console.MayAll, Actor: a.name}, nil
		}
	}
	return console.Mount(mux, "/admin/webhooks/", d, who,
		&console.Options{Title: "Shop", Environment: "example", Back: "/"})
}

// mountCustomers mounts the console in which customers see and repair their own webhooks.
func mountCustomers(mux *http.ServeMux, d *dispatcher.Dispatcher, people *accounts) error {
	who := func(r *http.Request) (console.Access, error) {
		switch a := people.of(r); {
		case a == nil:
			return console.Access{}, &console.Redirect{URL: "/login"}
		case a.tenant == "" || a.partner:
			return console.Access{}, errNotYours
		default:
			return console.Access{Tenant: a.tenant, May: console.MayAll &^ console.MayErase,
				Actor: a.name}, nil
		}
	}
	return console.Mount(mux, "/webhooks/", d, who, &console.Options{Title: "Shop", Back: "/"})
}

// mountPartner mounts the console for those who are logged in to another program, and that program:
// here it is a page of the same mux. All that the two share is the key of the links.
func mountPartner(mux *http.ServeMux, d *dispatcher.Dispatcher, people *accounts) error {
	key := make([]byte, console.MinLinkKey)
	rand.Read(key) // never fails
	links := &console.Link{Keys: [][]byte{key}}

	// What a link allows holds until its session ends. The host can lower it at each request: here
	// customers may not erase, whatever the other program has signed.
	lower := func(r *http.Request) (console.Access, error) {
		access, _ := console.LinkAccess(r)
		access.May &^= console.MayErase
		return access, nil
	}
	mux.HandleFunc("GET /partner/", func(w http.ResponseWriter, r *http.Request) {
		a := people.of(r)
		if a == nil || !a.partner {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		to, err := links.URL("http://"+r.Host+"/portal/webhooks/",
			console.Access{Tenant: a.tenant, May: console.MayAll, Actor: a.name})
		if err != nil {
			http.Error(w, "no link could be made", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	return console.Mount(mux, "/portal/webhooks/", d, links.Authorizer(lower),
		&console.Options{Title: "Partner"})
}

var pages = template.Must(template.New("").Parse(`
{{define "login"}}<!doctype html><html lang="en"><title>Log in</title>
<h1>Log in</h1>{{with .}}<p role="alert">{{.}}</p>{{end}}
<form method="post" action="/login">
<p><label>Name <input name="name" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Log in</button></p></form>{{end}}

{{define "home"}}<!doctype html><html lang="en"><title>Shop</title>
<h1>Hello, {{.}}</h1>
<p>{{if .Staff}}<a href="/admin/webhooks/">Webhooks of all customers</a>
{{else if .Partner}}<a href="/partner/">Your webhooks, in another program</a>
{{else}}<a href="/webhooks/">Your webhooks</a>{{end}}</p>
<form method="post" action="/logout"><button>Log out</button></form>{{end}}
`))

// What a page shows of an account.
func (a *account) String() string { return a.name }
func (a *account) Staff() bool    { return a.staff }
func (a *account) Partner() bool  { return a.partner }

func show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	pages.ExecuteTemplate(w, page, data) // an error means that the browser has gone
}
