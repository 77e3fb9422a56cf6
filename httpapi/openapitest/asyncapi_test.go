package openapitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// asyncRead is what AsyncAPI's parser says of a document.
type asyncRead struct {
	Errors, Warnings []string
	Operations       []struct {
		Action, Message, Address string
		Headers, Examples        int
	}
}

// TestAsyncAPI has AsyncAPI's own parser read the documents: it finds no error, and the messages
// that there are. It does find an error in each that is broken.
func TestAsyncAPI(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "asyncapi"))); err != nil {
		t.Fatal(err)
	}
	node := npmtest.Install(t, dir, "ci")
	o, api := declaring()
	o.EventTypes[1].Version, o.EventTypes[1].Deprecated = "2", "Use order.placed."
	o.EventTypes[2].Name = "orders/note"
	whole := asyncDocument(t, o, api)
	documents := []struct {
		name     string
		document []byte
		want     []string // the messages; nil if it is broken
	}{
		{"no catalogue", asyncDocument(t, nil, nil), []string{"channel.updated",
			"conversation.updated", "event", "message.created", "message.updated", "webhook.challenge",
			"webhook.disabled", "webhook.exhausted", "webhook.ping"}},
		{"a host's", whole, []string{"message.created", "order.created", "orders/note",
			"webhook.challenge", "webhook.disabled", "webhook.exhausted", "webhook.ping"}},
	}
	for name, change := range map[string][2]string{
		"an action": {`"action":"send"`, `"action":"sends"`},
		"a reference": {`"$ref":"#/components/messages/order.created"`,
			`"$ref":"#/components/messages/none"`},
		"the version":  {`"asyncapi":"3.0.0"`, `"asyncapi":"7"`},
		"a scheme":     {`"type":"httpApiKey"`, `"type":"handshake"`},
		"the channels": {`"channels"`, `"canals"`},
	} {
		broken := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(broken, whole) {
			t.Fatalf("%s: the document has no %s to break", name, change[0])
		}
		documents = append(documents, struct {
			name     string
			document []byte
			want     []string
		}{name, broken, nil})
	}
	args := []string{"validate.cjs"}
	for i, d := range documents {
		file := filepath.Join(dir, fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(file, d.document, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	for _, d := range documents {
		var got asyncRead
		if err := dec.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if d.want == nil {
			if len(got.Errors) == 0 {
				t.Errorf("%s is broken, and the parser has found no error", d.name)
			}
			continue
		}
		if len(got.Errors) > 0 {
			t.Errorf("%s: the parser says %q", d.name, got.Errors)
		}
		var messages []string
		for _, operation := range got.Operations {
			messages = append(messages, operation.Message)
			if operation.Action != "send" || operation.Address != "" || operation.Headers != 5 ||
				operation.Message == "order.created" && operation.Examples != 1 {
				t.Errorf("%s: the parser has found %+v", d.name, operation)
			}
		}
		if slices.Sort(messages); !slices.Equal(messages, d.want) {
			t.Errorf("%s: the parser has found the messages %q, want %q", d.name, messages, d.want)
		}
	}
}
