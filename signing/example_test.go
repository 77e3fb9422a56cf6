package signing_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/signing"
)

// What a sender puts into the headers of a delivery.
func Example() {
	const key signing.Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	body := []byte(
		`{"type":"message.created","timestamp":1603661094560,"payload":{"conversation_id":"c1"}}`)
	id, at := "018f3c1e-7a55-7000-8000-000000000001", time.Unix(1700000000, 0)

	fmt.Println(signing.HeaderAiry+":", signing.Airy(key, body))
	fmt.Println(signing.HeaderSignature+":", signing.Standard(id, at, body, key))
	// Output:
	// X-Airy-Content-Signature: bbb79623e931bf9dc91a2405ad020f7ff93c59249329c42a182554095beec8c2
	// webhook-signature: v1,uk3ZaoHthTTJ/ued0a9Mlt6fg4HSYn8UFwUA0W+vMPA=
}

func ExampleSecret() {
	subscription := struct {
		URL string
		Key signing.Secret
	}{"https://endpoint.example/webhook", "user-defined-hmac-key"}

	fmt.Printf("%v\n", subscription)
	fmt.Println(string(subscription.Key)) // the only way to the key
	// Output:
	// {https://endpoint.example/webhook [redacted]}
	// user-defined-hmac-key
}

func ExampleVerifier_Verify() {
	now, body := time.Now(), []byte(`{"type":"ping"}`)
	h := http.Header{}
	h.Set(signing.HeaderID, "evt_1")
	h.Set(signing.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(signing.HeaderSignature, signing.Standard("evt_1", now, body, "old key", "new key"))

	v := signing.Verifier{Keys: []signing.Secret{"new key"}}
	fmt.Println(v.Verify(h, body))
	fmt.Println(v.Verify(h, []byte(`{"type":"pong"}`)))
	fmt.Println(v.Verify(http.Header{}, body))

	v.Keys = nil
	fmt.Println(errors.Is(v.Verify(h, body), signing.ErrNoKey))
	// Output:
	// <nil>
	// signing: signature does not match
	// signing: no signature
	// true
}

// A receiver: the handler runs for verified deliveries only.
func ExampleVerifier_Handler() {
	v := signing.Verifier{Keys: []signing.Secret{"user-defined-hmac-key"}}
	mux := http.NewServeMux()
	mux.Handle("POST /webhook",
		v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, "can't read the body", http.StatusBadRequest)
				return
			}
			fmt.Printf("received %s\n", body)
		})))
	server := httptest.NewServer(mux)
	defer server.Close()

	deliver := func(key signing.Secret, body string) {
		r, _ := http.NewRequest("POST", server.URL+"/webhook", strings.NewReader(body))
		now := time.Now()
		r.Header.Set(signing.HeaderID, "evt_1")
		r.Header.Set(signing.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
		r.Header.Set(signing.HeaderSignature, signing.Standard("evt_1", now, []byte(body), key))
		res, err := server.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer res.Body.Close()
		fmt.Println(res.Status)
	}
	deliver("user-defined-hmac-key", `{"type":"message.created"}`)
	deliver("a stranger's guess", `{"type":"message.created"}`)
	// Output:
	// received {"type":"message.created"}
	// 200 OK
	// 401 Unauthorized
}

// A receiver that handles each event once, however often it comes.
func ExampleOnce() {
	key := signing.NewSecret()
	v := signing.Verifier{Keys: []signing.Secret{key}}
	once := &signing.Once{} // in memory; boltseen.Open remembers over a restart
	receiver := v.Handler(once.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("handled", r.Header.Get(signing.HeaderID))
	})))

	for _, id := range []string{"evt_1", "evt_1", "evt_2"} {
		now, body := time.Now(), `{"type":"order.created"}`
		r := httptest.NewRequest("POST", "/webhook", strings.NewReader(body))
		r.Header.Set(signing.HeaderID, id)
		r.Header.Set(signing.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
		r.Header.Set(signing.HeaderSignature, signing.Standard(id, now, []byte(body), key))
		w := httptest.NewRecorder()
		receiver.ServeHTTP(w, r)
		fmt.Println(id, w.Code)
	}
	// Output:
	// handled evt_1
	// evt_1 200
	// evt_1 200
	// handled evt_2
	// evt_2 200
}

// A plain key in the form that the Standard Webhooks libraries of all languages take.
func ExampleSecret_Standard() {
	plain := signing.Secret("secret-key-for-hmac-header")
	standard := plain.Standard()
	fmt.Println(string(standard))

	at, body := time.Unix(1700000000, 0), []byte("{}")
	before := signing.Standard("evt_1", at, body, plain)
	after := signing.Standard("evt_1", at, body, standard)
	fmt.Println(before == after)
	fmt.Println(signing.Airy(plain, body) == signing.Airy(standard, body))
	// Output:
	// whsec_c2VjcmV0LWtleS1mb3ItaG1hYy1oZWFkZXI=
	// true
	// false
}

// A sender keeps the private key; a receiver has the public one, with which nobody can sign.
func ExampleVerifier_publicKeys() {
	const private signing.Secret = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
	fmt.Println(private.Public())

	now, body := time.Now(), []byte(`{"type":"ping"}`)
	h := http.Header{}
	h.Set(signing.HeaderID, "evt_1")
	h.Set(signing.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(signing.HeaderSignature, signing.Standard("evt_1", now, body, private))

	v := signing.Verifier{PublicKeys: []signing.PublicKey{
		"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
	}}
	fmt.Println(v.Verify(h, body))
	fmt.Println(v.Verify(h, []byte(`{"type":"pong"}`)))
	// Output:
	// whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=
	// <nil>
	// signing: signature does not match
}
