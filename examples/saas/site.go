package main

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"

	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/httpapi/console"
)

// routes returns the product's mux.
func (p *product) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, "login", "")
	})
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("POST /logout", p.logout)
	mux.HandleFunc("POST /api/orders", p.orders)

	err := errors.Join(
		// POST /api/webhooks.subscribe and so on, for customers' programs.
		httpapi.Mount(mux, p.hooks, p.tenantOf, &httpapi.Options{
			Prefix:  "/api",
			Signing: httpapi.SigningGenerate, // no webhook without a key
			Description: httpapi.Description{
				Title: "Saas",
				Security: map[string]json.RawMessage{
					"key": json.RawMessage(`{"type": "http", "scheme": "bearer"}`),
				},
			},
		}),
		// The same for people: staff see all tenants here, and customers their own.
		console.Mount(mux, "/webhooks/", p.hooks, p.mayOnConsole, &console.Options{
			Title: "Saas", Back: "/",
		}),
	)
	// Pages of other sites can't act in the name of somebody who is logged in here.
	return http.NewCrossOriginProtection().Handler(mux), err
}

// mayOnConsole says whose webhooks somebody sees on the console, and what they may do there.
func (p *product) mayOnConsole(r *http.Request) (console.Access, error) {
	switch a := p.sessions.account(r); {
	case a == nil:
		return console.Access{}, &console.Redirect{URL: "/login"}
	case a.Staff:
		return console.Access{AnyTenant: true, May: console.MayAll, Actor: a.Name}, nil
	default:
		return console.Access{
			Tenant: a.Tenant, May: console.MayAll &^ console.MayErase, Actor: a.Name,
		}, nil
	}
}

// tenantOf says whose request to the API it is: by an API key, or of somebody who is logged in.
func (p *product) tenantOf(r *http.Request) (string, error) {
	if tenant := p.tenantOfKey(r); tenant != "" {
		return tenant, nil
	}
	if a := p.sessions.account(r); a != nil && a.Tenant != "" {
		return a.Tenant, nil
	}
	return "", &httpapi.Unauthenticated{}
}

// home is the page of somebody who is logged in.
func (p *product) home(w http.ResponseWriter, r *http.Request) {
	a := p.sessions.account(r)
	if a == nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	show(w, http.StatusOK, "home", a)
}

func (p *product) login(w http.ResponseWriter, r *http.Request) {
	a, err := p.checkPassword(r.PostFormValue("name"), r.PostFormValue("password"))
	switch {
	case errors.Is(err, errLogin):
		show(w, http.StatusUnauthorized, "login", "The name or the password is wrong.")
		return
	case err != nil:
		show(w, http.StatusServiceUnavailable, "login", "That did not work. Try again.")
		return
	}
	p.sessions.begin(w, r, a)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *product) logout(w http.ResponseWriter, r *http.Request) {
	p.sessions.end(r)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

var pages = template.Must(template.New("").Parse(`
{{define "login"}}<!doctype html><html lang="en"><title>Log in</title>
<h1>Log in</h1>{{with .}}<p role="alert">{{.}}</p>{{end}}
<form method="post" action="/login">
<p><label>Name <input name="name" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"
required></label></p>
<p><button>Log in</button></p></form>{{end}}

{{define "home"}}<!doctype html><html lang="en"><title>Saas</title>
<h1>Hello, {{.Name}}</h1>
<p><a href="/webhooks/">{{if .Staff}}Webhooks of all customers{{else}}Your webhooks{{end}}</a></p>
<form method="post" action="/logout"><button>Log out</button></form>{{end}}
`))

func show(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	pages.ExecuteTemplate(w, page, data) // an error means that the browser has gone
}
