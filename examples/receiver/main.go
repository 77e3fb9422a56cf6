// Receiver is the smallest correct receiver of webhooks: it verifies the signature, handles each
// event once, over restarts too, answers 200 quickly, and works afterwards.
//
//	go run ./examples/receiver -key whsec_…   then subscribe http://…:8081/hook with that key
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/signing/boltseen"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen on")
	key := flag.String("key", "", "the webhook's signature_key; if empty, one is made and printed")
	file := flag.String("seen", "seen.db", "file that remembers what was handled")
	flag.Parse()
	secret := signing.Secret(*key)
	if secret == "" {
		secret = signing.NewSecret()
		log.Printf("subscribe http://%s/hook with this signature_key: %s", *addr, string(secret))
	}
	seen, err := boltseen.Open(*file, nil)
	if err != nil {
		log.Fatal(err)
	}
	work := make(chan event, 1000)
	go func() {
		for e := range work {
			log.Printf("%s %s: %s", e.ID, e.Type, e.Payload)
		}
	}()
	server := http.Server{Addr: *addr, Handler: newHandler(secret, seen, work),
		ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

type event struct {
	ID      string          `json:"-"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// newHandler takes deliveries at /hook and passes each event on once. What waits in the channel is
// lost if the process ends; a real receiver stores the event where it stores that it was seen: see
// package boltseen.
func newHandler(key signing.Secret, seen signing.Seen, work chan<- event) http.Handler {
	verifier := signing.Verifier{Keys: []signing.Secret{key}}
	once := &signing.Once{Seen: seen}
	take := func(w http.ResponseWriter, r *http.Request) {
		e := event{ID: r.Header.Get(signing.HeaderID)}
		body, err := io.ReadAll(r.Body)
		if challenge, ok := signing.Challenge(body); ok { // we want what this sender has
			io.WriteString(w, challenge)
			return
		}
		if err != nil || json.Unmarshal(body, &e) != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		select {
		case work <- e:
		default:
			w.Header().Set("Retry-After", "10")
			http.Error(w, "busy", http.StatusServiceUnavailable) // it will come again
		}
	}
	mux := http.NewServeMux()
	mux.Handle("POST /hook", verifier.Handler(once.Handler(http.HandlerFunc(take))))
	return mux
}
