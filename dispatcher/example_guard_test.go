package dispatcher_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store/memstore"
)

// A host with a Transport of its own keeps the address guard.
func ExampleGuardedDialer() {
	o := dispatcher.Options{Logger: slog.New(slog.DiscardHandler)}
	dialer, err := dispatcher.GuardedDialer(&o) // by AllowPrefixes, DenyPrefixes and so on of o
	if err != nil {
		panic(err)
	}
	dialer.Timeout = 5 * time.Second
	o.Transport = &http.Transport{DialContext: dialer.DialContext}
	if _, err := dispatcher.New(memstore.New(), &o); err != nil {
		panic(err)
	}

	_, err = dialer.Dial("tcp", "169.254.169.254:80") // as a name may resolve to
	fmt.Println(err)
	// Output: dial tcp 169.254.169.254:80: netguard: the address is not allowed
}
