package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

// A host mounts the endpoints beside its own routes, and one of its users subscribes a webhook.
func ExampleMount() {
	d, err := dispatcher.New(memstore.New(), nil) // boltstore.Open keeps events over a restart
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "the host's own page")
	})
	auth := func(r *http.Request) (tenant string, err error) {
		if r.Header.Get("Authorization") != "Bearer acme-token" {
			return "", errors.New("unknown token")
		}
		return "acme", nil
	}
	if err := httpapi.Mount(mux, d, auth, &httpapi.Options{Prefix: "/api"}); err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(http.NewCrossOriginProtection().Handler(mux))
	defer server.Close()

	body := `{"id":"3e639566-29fa-450d-a59f-ae3c25d7260f","url":"https://endpoint.example/webhook","signature_key":"a secret that is long enough"}`
	for _, token := range []string{"acme-token", "a-guess"} {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/api/webhooks.subscribe",
			strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			log.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s", resp.StatusCode, answer)
	}
	// Output:
	// 200 {"id":"3e639566-29fa-450d-a59f-ae3c25d7260f","url":"https://endpoint.example/webhook","events":[],"headers":{},"status":"Subscribed","signed":true}
	// 403 {"message":"the request is not authorized; send the credentials that this host asks for"}
}

// A host that routes by other means takes a handler, and one without tenants whose middleware keeps
// strangers out says so.
func ExampleHandler() {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = httpapi.Handler(d, nil, nil)
	fmt.Println(err)

	h, err := httpapi.Handler(d, httpapi.NoAuth, nil)
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhooks.list", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// auth is nil; give an Authorizer, or NoAuth if the host itself authorizes requests
	// 200 {"data":[]}
}
