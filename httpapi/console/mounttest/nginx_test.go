package mounttest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/internal/nginxtest"
)

// locations are one that removes its prefix, one that changes it, and one that keeps it. The
// console is told nothing of them, and gets no header about them.
const locations = `
    listen $ADDRESS;
    location /removed/ { proxy_pass $HOST/; }
    location /changed/ { proxy_pass $HOST/admin/hooks/; }
    location /admin/hooks { proxy_pass $HOST; }
`

// nginx starts a real nginx before a host that has the console at / and at /admin/hooks/, and
// returns its URL.
func nginx(t *testing.T, host http.Handler) string {
	t.Helper()
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	return "http://" + nginxtest.Start(t, strings.ReplaceAll(locations, "$HOST", server.URL), nil)
}
