// Receiver is the smallest correct receiver of webhooks: it verifies the signature, recognizes
// repetitions, answers 200 quickly, and works afterwards.
//
//	go run ./examples/receiver -key whsec_…   then subscribe http://…:8081/hook with that key
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/outhook/outhook/signing"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen on")
	key := flag.String("key", "", "the webhook's signature_key; if empty, one is made and printed")
	flag.Parse()
	secret := signing.Secret(*key)
	if secret == "" {
		secret = signing.NewSecret()
		log.Printf("subscribe http://%s/hook with this signature_key: %s", *addr, string(secret))
	}
	work := make(chan event, 1000)
	go func() {
		for e := range work {
			log.Printf("%s %s: %s", e.ID, e.Type, e.Payload)
		}
	}()
	server := http.Server{Addr: *addr, Handler: newHandler(secret, work),
		ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

type event struct {
	ID      string          `json:"-"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// newHandler takes deliveries at /hook and passes each event on once.
//
// A real receiver stores the IDs with its own data, in the transaction that processes the event; a
// set in memory is lost at a restart.
func newHandler(key signing.Secret, work chan<- event) http.Handler {
	var mu sync.Mutex
	seen := make(map[string]bool)
	mux := http.NewServeMux()
	mux.Handle("POST /hook", signing.Verifier{Keys: []signing.Secret{key}}.Handler(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			e := event{ID: r.Header.Get(signing.HeaderID)}
			if err != nil || json.Unmarshal(body, &e) != nil {
				http.Error(w, "not an event", http.StatusBadRequest)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[e.ID] {
				return // 200: we have it
			}
			select {
			case work <- e:
				seen[e.ID] = true
			default:
				w.Header().Set("Retry-After", "10")
				http.Error(w, "busy", http.StatusServiceUnavailable) // it will come again
			}
		})))
	return mux
}
