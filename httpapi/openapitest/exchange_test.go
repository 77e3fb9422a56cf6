package openapitest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/internal/apitest"
)

func newRequest(method, path string, body []byte) *http.Request {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// recorded runs the tests of package httpapi and returns all that went to and fro.
func recorded(t *testing.T) []apitest.Exchange {
	t.Helper()
	file := filepath.Join(t.TempDir(), "exchanges")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1",
		fmt.Sprintf("-short=%t", testing.Short()), ".")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), apitest.Env+"="+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the tests of package httpapi: %v\n%s", err, out)
	}
	all, err := apitest.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestExchanges holds every request and response of the tests of package httpapi to the
// description.
func TestExchanges(t *testing.T) {
	tenants := newDescription(t)
	strictTenants := tenants.strict(t)
	operators := newOperatorDescription(t)
	strictOperators := operators.strict(t)
	seen := make(map[string]int) // "/webhooks.info 404"
	taken, refused := 0, 0
	for _, e := range recorded(t) {
		e.Path = e.Path[strings.Index(e.Path, "/webhooks."):] // without the prefix of the host
		lenient, strict := tenants, strictTenants
		if e.Header.Get("X-Operator") != "" {
			lenient, strict = operators, strictOperators
		}
		item := lenient.doc.Paths.Value(e.Path)
		if item == nil {
			t.Errorf("%s: %s is not described", e.Test, e.Path)
			continue
		}
		method, _ := operation(item)
		key := e.Path + " " + strconv.Itoa(e.Status)
		seen[key]++
		if seen[key] > 15 && testing.Short() {
			continue // the next are much like the first
		}
		if err := strict.checkResponse(strict.doc.Paths.Value(e.Path), e.Status, e.ResponseHeader,
			e.ResponseBody); err != nil {
			t.Errorf("%s: %s answered %d %.300s, which is not as described: %v", e.Test, e.Path, e.Status,
				e.ResponseBody, err)
		}
		switch {
		case e.Method != method:
		case e.Status == http.StatusOK:
			taken++
			if err := lenient.checkRequest(request(&e, method), item); err != nil {
				t.Errorf("%s: %s took %.300s, which is described as invalid: %v", e.Test, e.Path, e.Body, err)
			}
		case wrongFields(&e):
			refused++
			if lenient.checkRequest(request(&e, method), item) == nil {
				t.Errorf("%s: %s refused %.300s, which is described as valid: %s", e.Test, e.Path, e.Body,
					e.ResponseBody)
			}
		}
	}
	if taken < 150 || refused < 100 || !testing.Short() && (taken < 500 || refused < 300) {
		t.Errorf("got %d requests that were taken and %d refused; something is not recorded", taken,
			refused)
	}
	checkSeen(t, tenants, seen)
}

// oddNumber is a whole number in a spelling that the endpoints don't take and JSON Schema can't
// tell from the plain one.
var oddNumber = regexp.MustCompile(`:[0-9]+(\.0|e[0-9])`)

// wrongFields says whether a request was refused for something that a description can say.
func wrongFields(e *apitest.Exchange) bool {
	if e.Status == http.StatusUnsupportedMediaType {
		return e.Header.Get("Content-Type") != ""
	}
	if e.Status != http.StatusBadRequest || oddNumber.Match(e.Body) {
		return false
	}
	for _, reason := range []string{" is not a field of ", " is missing; ", "; give a", "; give true",
		" is out of bounds; ", " is none of ", " is no HTTP status; "} {
		if bytes.Contains(e.ResponseBody, []byte(reason)) {
			return true
		}
	}
	return false
}

// request is what was sent, as far as the description speaks of it.
func request(e *apitest.Exchange, method string) *http.Request {
	r := newRequest(method, e.Path, e.Body)
	r.Header.Del("Content-Type")
	if t := e.Header.Get("Content-Type"); t != "" && len(e.Body) > 0 {
		r.Header.Set("Content-Type", t)
	}
	return r
}

// checkSeen reports responses that are described and have not occurred, so that the description
// promises none that can't.
func checkSeen(t *testing.T, d *description, seen map[string]int) {
	t.Helper()
	slow := false
	for path, item := range d.doc.Paths.Map() {
		_, operation := operation(item)
		for status := range operation.Responses.Map() {
			key := path + " " + status
			if status == "408" { // takes a clock of its own, and is the same for all
				slow = slow || seen[key] > 0
				continue
			}
			if seen[key] == 0 {
				t.Errorf("%s: is described and did not occur", key)
			}
		}
	}
	if !slow {
		t.Error("408 is described and did not occur")
	}
}
