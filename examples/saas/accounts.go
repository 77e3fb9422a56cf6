package main

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// account is somebody who can log in.
type account struct {
	Name   string
	Tenant string // the customer that it belongs to; empty for staff
	Staff  bool   // sees all customers

	Salt, Hash []byte // of the password
}

// createAccounts makes the accounts of the first start, and prints how to log in. A real product
// lets people sign up.
func (p *product) createAccounts(out io.Writer) error {
	return p.db.Update(func(tx *bolt.Tx) error {
		if tx.Bucket(bucketAccounts) != nil {
			return nil
		}
		for _, a := range []account{
			{Name: "ada", Staff: true}, {Name: "grace", Tenant: "acme"}, {Name: "linus", Tenant: "globex"},
		} {
			password := rand.Text()
			a.Salt = []byte(rand.Text())
			var err error
			if a.Hash, err = hash(password, a.Salt); err != nil {
				return err
			}
			if err := put(tx, bucketAccounts, a.Name, a); err != nil {
				return err
			}
			fmt.Fprintf(out, "log in as %s with %s", a.Name, password)
			if a.Tenant != "" {
				key, err := createKey(tx, a.Tenant)
				if err != nil {
					return err
				}
				fmt.Fprintf(out, ", or send %s as a bearer token, of the customer %s", key, a.Tenant)
			}
			fmt.Fprintln(out)
		}
		return nil
	})
}

// hash is slow, so that somebody who has the file can try few passwords.
func hash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, 600_000, 32)
}

// errLogin says nothing of what is wrong.
var errLogin = errors.New("the name or the password is wrong")

// checkPassword returns the account of a name. It takes as long for a name that is unknown, so that
// nobody learns which exist. A real product also bounds how often somebody may try.
func (p *product) checkPassword(name, password string) (*account, error) {
	a := &account{Hash: make([]byte, 32)} // nobody has its password
	err := p.db.View(func(tx *bolt.Tx) error {
		_, err := get(tx, bucketAccounts, name, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	sum, err := hash(password, a.Salt)
	if err != nil || subtle.ConstantTimeCompare(sum, a.Hash) != 1 {
		return nil, errLogin
	}
	return a, nil
}

// tenantOfKey returns whose API key a request has; empty for none.
func (p *product) tenantOfKey(r *http.Request) (tenant string) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	_ = p.db.View(func(tx *bolt.Tx) error { // after an error it is nobody's
		_, err := get(tx, bucketKeys, keyName(key), &tenant)
		return err
	})
	return tenant
}

// createKey makes an API key of a tenant.
func createKey(tx *bolt.Tx, tenant string) (string, error) {
	key := "sk_" + rand.Text()
	return key, put(tx, bucketKeys, keyName(key), tenant)
}

// keyName is what is stored of an API key, which is random, so that it need not be slow.
func keyName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// sessions are who is logged in. They are in memory: a restart logs everybody out.
type sessions struct {
	plain bool // browsers come by http, which is for a developer's own machine

	mu  sync.Mutex
	all map[string]session // by the value of the cookie
}

type session struct {
	account *account
	until   time.Time
}

const (
	sessionCookie = "session"
	sessionLasts  = 12 * time.Hour
)

// begin begins a session in place of the one that the request has.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, a *account) {
	s.end(r)
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.all, func(_ string, of session) bool { return time.Now().After(of.until) })
	if s.all == nil {
		s.all = make(map[string]session)
	}
	s.all[id] = session{a, time.Now().Add(sessionLasts)}
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, Secure: !s.plain,
		SameSite: http.SameSiteLaxMode, MaxAge: int(sessionLasts / time.Second),
	})
}

// end ends the session of a request.
func (s *sessions) end(r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, cookie.Value)
	}
}

// account returns who sends a request; nil if nobody is logged in.
func (s *sessions) account(r *http.Request) *account {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.all[cookie.Value]
	if !ok || time.Now().After(found.until) {
		delete(s.all, cookie.Value)
		return nil
	}
	return found.account
}
