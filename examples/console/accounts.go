package main

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// account is somebody who can log in.
type account struct {
	name, about string
	staff       bool   // sees all customers
	tenant      string // the customer that it belongs to
	partner     bool   // uses the other program, which makes links to the console

	salt, hash []byte // of the password
}

// accounts are all that there are, and who of them is logged in.
type accounts struct {
	all []*account

	mu       sync.Mutex
	sessions map[string]session // by the value of the cookie
}

type session struct {
	*account
	until time.Time
}

const (
	sessionCookie = "session"
	sessionLasts  = 12 * time.Hour
)

// newAccounts makes the accounts of this example, with new passwords. A real host has them in its
// database, and its people choose their passwords.
func newAccounts() (*accounts, map[string]string, error) {
	people := &accounts{sessions: make(map[string]session), all: []*account{
		{name: "ada", staff: true, about: "the operator, at /admin/webhooks/"},
		{name: "grace", tenant: "acme", about: "of the customer acme, at /webhooks/"},
		{name: "linus", tenant: "globex", partner: true,
			about: "of the customer globex, at /partner/, which is another program"},
	}}
	passwords := make(map[string]string)
	for _, a := range people.all {
		passwords[a.name] = rand.Text()
		a.salt = make([]byte, 16)
		rand.Read(a.salt) // never fails
		var err error
		if a.hash, err = hash(passwords[a.name], a.salt); err != nil {
			return nil, nil, err
		}
	}
	return people, passwords, nil
}

// hash is slow, so that somebody who has the hashes can try few passwords.
func hash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, 600_000, 32)
}

// login begins a session if the password is right. It takes as long for a name that is unknown, so
// that nobody learns which exist.
func (p *accounts) login(w http.ResponseWriter, r *http.Request) bool {
	found := &account{hash: make([]byte, 32)} // whose password nobody has
	for _, a := range p.all {
		if a.name == r.PostFormValue("name") {
			found = a
		}
	}
	sum, err := hash(r.PostFormValue("password"), found.salt)
	if err != nil || subtle.ConstantTimeCompare(sum, found.hash) != 1 {
		return false
	}
	id := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[id] = session{found, time.Now().Add(sessionLasts)}
	// Behind a proxy that ends TLS, Secure is to be true always.
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/", HttpOnly: true,
		Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode, MaxAge: int(sessionLasts / time.Second)})
	return true
}

// logout ends the session of a request.
func (p *accounts) logout(r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.sessions, cookie.Value)
	}
}

// of returns who sends a request; nil if nobody is logged in.
func (p *accounts) of(r *http.Request) *account {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sessions[cookie.Value]
	if time.Now().After(s.until) {
		delete(p.sessions, cookie.Value)
		return nil
	}
	return s.account
}
