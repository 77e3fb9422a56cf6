package console_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/store/memstore"
)

// The host says who sees what. Here Ada is its operator, other people are customers, and who is not
// logged in is sent to the login.
func ExampleMount() {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		log.Fatal(err)
	}
	who := func(r *http.Request) (console.Access, error) {
		session, err := r.Cookie("session") // as the host knows its people
		switch {
		case err != nil:
			return console.Access{}, &console.Redirect{URL: "/login"}
		case session.Value == "ada":
			return console.Access{AnyTenant: true, May: console.MayAll, Actor: "ada"}, nil
		default:
			return console.Access{
				Tenant: session.Value, May: console.MayAll &^ console.MayErase, Actor: session.Value,
			}, nil
		}
	}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/webhooks/", d, who, &console.Options{Title: "Shop"}); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"", "ada"} {
		r := httptest.NewRequest(http.MethodGet, "/webhooks/list", nil)
		if name != "" {
			r.AddCookie(&http.Cookie{Name: "session", Value: name})
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Location"))
	}
	// Output:
	// 303 /login
	// 200
}
