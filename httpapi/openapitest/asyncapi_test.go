package openapitest_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/internal/npmtest"
)

// asyncDocument returns what GET /webhooks.asyncapi serves.
func asyncDocument(t *testing.T, o *dispatcher.Options, api *httpapi.Options) []byte {
	t.Helper()
	prefix := ""
	if api != nil {
		prefix = api.Prefix
	}
	w := httptest.NewRecorder()
	newHandler(t, o, api).ServeHTTP(w,
		httptest.NewRequest(http.MethodGet, prefix+"/webhooks.asyncapi", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// TestAsyncAPI has AsyncAPI's own parser read the document: it finds no error, and the messages
// that there are. It does find an error in one that is broken.
func TestAsyncAPI(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "asyncapi"))); err != nil {
		t.Fatal(err)
	}
	node := npmtest.Install(t, dir, "ci")
	parse := func(document []byte) (string, error) {
		t.Helper()
		file := filepath.Join(dir, "asyncapi.json")
		if err := os.WriteFile(file, document, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), node, "validate.cjs", file)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}

	o, api := declaring()
	o.EventTypes[1].Version, o.EventTypes[1].Deprecated = "2", "Use order.placed."
	o.EventTypes[2].Name = "orders/note"
	for name, tt := range map[string]struct {
		document []byte
		want     []string
	}{
		"no catalogue": {asyncDocument(t, nil, nil), []string{"channel.updated", "conversation.updated",
			"event", "message.created", "message.updated", "webhook.disabled", "webhook.exhausted",
			"webhook.ping"}},
		"a host's": {asyncDocument(t, o, api), []string{"message.created", "order.created",
			"orders/note", "webhook.disabled", "webhook.exhausted", "webhook.ping"}},
	} {
		out, err := parse(tt.document)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var messages []string
		for line := range strings.Lines(out) {
			fields := strings.Fields(line)
			if fields[0] == "warning" {
				t.Logf("%s: %s", name, line)
				continue
			}
			if len(fields) != 5 || fields[0] != "send" || fields[2] != "true" || fields[4] != "null" {
				t.Errorf("%s: the parser has found %s", name, line)
				continue
			}
			messages = append(messages, fields[1])
			if fields[1] == "order.created" && fields[3] != "1" {
				t.Errorf("%s: %s has %s examples, want one", name, fields[1], fields[3])
			}
		}
		if slices.Sort(messages); !slices.Equal(messages, tt.want) {
			t.Errorf("%s: the parser has found the messages %q, want %q", name, messages, tt.want)
		}
	}

	whole := asyncDocument(t, o, api)
	for name, change := range map[string][2]string{
		"an action":    {`"action":"send"`, `"action":"sends"`},
		"a reference":  {`"$ref":"#/components/messages/order.created"`, `"$ref":"#/components/messages/none"`},
		"an example":   {`"lines":[{"price":9.5}]`, `"lines":[{"price":"much"}]`},
		"the version":  {`"asyncapi":"3.0.0"`, `"asyncapi":"7"`},
		"a scheme":     {`"type":"httpApiKey"`, `"type":"handshake"`},
		"the channels": {`"channels"`, `"canals"`},
	} {
		broken := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(broken, whole) {
			t.Fatalf("%s: the document has no %s to break", name, change[0])
		}
		if out, err := parse(broken); err == nil {
			t.Errorf("%s is broken, and the parser says %s", name, out)
		}
	}
}
