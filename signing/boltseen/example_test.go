package boltseen_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/signing/boltseen"
)

// A handler that stores the id in the transaction of its work does the work once, even if the
// process ends before the delivery is answered.
func ExampleSeen_AddTx() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := bbolt.Open(filepath.Join(dir, "shop.db"), 0o600, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	seen, err := boltseen.New(db, nil)
	if err != nil {
		log.Fatal(err)
	}

	shipped := 0
	ship := func(w http.ResponseWriter, r *http.Request) {
		err := db.Update(func(tx *bbolt.Tx) error {
			orders, err := tx.CreateBucketIfNotExists([]byte("orders"))
			if err != nil {
				return err
			}
			if err := orders.Put([]byte("42"), []byte("shipped")); err != nil {
				return err
			}
			shipped++
			return seen.AddTx(tx, r.Header.Get(signing.HeaderID))
		})
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		panic(http.ErrAbortHandler) // the process ends here, before the answer
	}
	once := &signing.Once{Seen: seen}
	h := once.Handler(http.HandlerFunc(ship)) // inside a signing.Verifier, in a real receiver
	for range 2 {
		func() {
			defer func() { _ = recover() }()
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set(signing.HeaderID, "evt_1")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			fmt.Println("answered", w.Code)
		}()
	}
	fmt.Println("shipped", shipped)
	// Output:
	// answered 200
	// shipped 1
}
