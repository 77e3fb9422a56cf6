package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/store/boltstore"
)

// newProduct returns a product with a dispatcher that sends to a Receiver in place of customers,
// and its mails.
func newProduct(t *testing.T) (*product, *dispatchertest.Receiver, *[]string) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "saas.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s, err := boltstore.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	mails := new([]string)
	d, r := dispatchertest.NewOn(t, s, webhookOptions(false, func(tenant, text string) {
		*mails = append(*mails, tenant+": "+text)
	}))
	return &product{db: db, store: s, hooks: d}, r, mails
}

func TestOrderGoesToItsShop(t *testing.T) {
	p, r, _ := newProduct(t)
	acme, globex := r.SubscribeFor("acme", "order.*"), r.SubscribeFor("globex")
	o, err := p.place(t.Context(), "acme", "tea")
	if err != nil {
		t.Fatal(err)
	}
	r.WaitIdle()
	var sent order
	if err := json.Unmarshal(acme.Next().Payload, &sent); err != nil || sent != o {
		t.Errorf("acme got %+v, %v, want the order %+v", sent, err, o)
	}
	if n := len(globex.All()); n != 0 {
		t.Errorf("globex got %d events of acme's, want none", n)
	}
}

// An order that can't be published is not stored either.
func TestOrderBeyondTheQuota(t *testing.T) {
	p, r, _ := newProduct(t)
	over := webhookOptions(false, mail)
	over.Quota = func(string) dispatcher.Quota { return dispatcher.Quota{Pending: 1} }
	var err error
	if p.hooks, err = dispatcher.New(p.store, over); err != nil {
		t.Fatal(err)
	}
	acme := r.SubscribeFor("acme")
	if _, err := p.hooks.Pause(t.Context(), acme.ID); err != nil {
		t.Fatal(err)
	}
	for _, refused := range []bool{false, true} {
		if _, err := p.place(t.Context(), "acme", "tea"); (err != nil) != refused {
			t.Errorf("got error %v, want one: %v", err, refused)
		}
	}
	stored := 0
	err = p.db.View(func(tx *bolt.Tx) error {
		stored = tx.Bucket(bucketOrders).Stats().KeyN
		return nil
	})
	if err != nil || stored != 1 {
		t.Errorf("%d orders are stored, %v, want one", stored, err)
	}
}

// Somebody whose endpoint is gone is told, and gets what it missed once that is repaired.
func TestEndpointIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r, mails := newProduct(t)
		acme := r.SubscribeFor("acme")
		acme.Answer(http.StatusGone)
		if _, err := p.place(t.Context(), "acme", "tea"); err != nil {
			t.Fatal(err)
		}
		r.WaitIdle()
		synctest.Wait() // for the Observer
		if len(*mails) != 1 || !strings.HasPrefix((*mails)[0], "acme: Your webhook "+acme.ID) {
			t.Fatalf("got %q, want one mail to acme", *mails)
		}
		console := p.as(t, "grace", "acme")
		console.post(t, "/webhooks/enable", "id="+acme.ID)
		console.post(t, "/webhooks/redeliver", "id="+acme.ID+"&event="+acme.Next().ID)
		r.WaitIdle()
		if all := acme.All(); len(all) != 2 || all[1].Status != 200 || all[1].ID != all[0].ID {
			t.Errorf("got %+v, want the event a second time", all)
		}
	})
}

// The API is for who has a key, and the webhooks it shows are theirs alone.
func TestAPIKeys(t *testing.T) {
	p, r, _ := newProduct(t)
	var acme, globex string
	err := p.db.Update(func(tx *bolt.Tx) (err error) {
		if acme, err = createKey(tx, "acme"); err == nil {
			globex, err = createKey(tx, "globex")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.SubscribeFor("globex")
	site, err := p.routes()
	if err != nil {
		t.Fatal(err)
	}
	call := func(path, key, body string) (int, string) {
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, q)
		return w.Code, w.Body.String()
	}
	for _, key := range []string{"", "sk_guess"} {
		for _, path := range []string{"/api/orders", "/api/webhooks.list"} {
			if status, body := call(path, key, `{}`); status != http.StatusUnauthorized {
				t.Errorf("%s with %q: got %d %s, want 401", path, key, status, body)
			}
		}
	}
	if status, body := call("/api/orders", acme, `{"item":" "}`); status != 400 {
		t.Errorf("an order of nothing: got %d %s, want 400", status, body)
	}
	if _, body := call("/api/webhooks.list", acme, ``); body != "{\"data\":[]}\n" {
		t.Errorf("acme sees %s, want none of globex's", body)
	}
	if _, body := call("/api/webhooks.list", globex, ``); !strings.Contains(body, "receiver.test") {
		t.Errorf("globex sees %s, want its own", body)
	}
}

// visitor is a browser of somebody who is logged in.
type visitor struct {
	site   http.Handler
	cookie *http.Cookie
}

// as logs somebody of a tenant in.
func (p *product) as(t *testing.T, name, tenant string) visitor {
	t.Helper()
	site, err := p.routes()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.sessions.begin(w, httptest.NewRequest(http.MethodPost, "/login", nil),
		&account{Name: name, Tenant: tenant})
	return visitor{site, w.Result().Cookies()[0]}
}

// post sends a form, and fails the test unless that worked.
func (v visitor) post(t *testing.T, path, form string) {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path,
		strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(v.cookie)
	w := httptest.NewRecorder()
	v.site.ServeHTTP(w, r)
	if res := w.Result(); res.StatusCode != http.StatusSeeOther {
		body, _ := io.ReadAll(res.Body) // it is in memory
		t.Fatalf("POST %s: got %d %s, want that it worked", path, res.StatusCode, body)
	}
}
