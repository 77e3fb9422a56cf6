package interop_test

import (
	"bufio"
	"html"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/internal/npmtest"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// kinds are those of keys, with the environment variables from which receivers get what they verify
// by.
var kinds = map[signing.Kind]string{
	signing.HMAC: "WEBHOOK_KEY", signing.Ed25519: "WEBHOOK_PUBLIC_KEY",
}

// snippet returns how the console's page of a new key says that a receiver in a language verifies.
func snippet(t *testing.T, kind signing.Kind, language string) string {
	t.Helper()
	page, err := os.ReadFile("../../httpapi/console/templates/key.html")
	if err != nil {
		t.Fatal(err)
	}
	public, shared, _ := strings.Cut(string(page), "{{else if .Key}}")
	m := regexp.MustCompile(`(?s)<summary>` + language + `</summary><pre[^>]*>(.*?)</pre>`).
		FindStringSubmatch(map[signing.Kind]string{signing.HMAC: shared, signing.Ed25519: public}[kind])
	if m == nil {
		t.Fatalf("the page has nothing for %s", language)
	}
	return html.UnescapeString(m[1])
}

// verifiesPings starts a receiver, which prints its port, and has it get pings by its key and by
// another.
func verifiesPings(t *testing.T, kind signing.Kind, receiver *exec.Cmd) {
	t.Helper()
	key := signing.NewSecretOf(kind)
	given := string(key)
	if kind == signing.Ed25519 {
		given = string(key.Public())
	}
	receiver.Env = append(os.Environ(), kinds[kind]+"="+given)
	receiver.Stderr = os.Stderr
	in, err := receiver.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		if err := receiver.Wait(); err != nil {
			t.Errorf("the receiver: %v", err)
		}
	}()
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for secret, want := range map[signing.Secret]int{key: 200, signing.NewSecretOf(kind): 401} {
		sub, err := d.Subscribe(t.Context(), store.Subscription{
			URL:     "http://127.0.0.1:" + strings.TrimSpace(port) + "/webhooks",
			Secrets: []signing.Secret{secret},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Ping(t.Context(), sub.ID)
		if err != nil || got.Status != want {
			t.Errorf("got %d %s, %v, want %d", got.Status, got.Error, err, want)
		}
	}
}

// around is a program around the console's lines for Go, which have an import and statements.
const around = `package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

func main() {
	STATEMENTS
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, nil)
	io.Copy(io.Discard, os.Stdin) // until the test has ended
}
`

func TestConsoleSaysHowToVerifyInGo(t *testing.T) {
	imports, statements, _ := strings.Cut(snippet(t, signing.HMAC, "Go"), "\n")
	program := strings.Replace(around, "import (", imports+"\n\nimport (", 1)
	program = strings.Replace(program, "STATEMENTS", statements, 1)
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "receiver")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, program)
	}
	verifiesPings(t, signing.HMAC, exec.CommandContext(t.Context(), binary))
}

// express is what the console's lines for Node use of that package.
const express = `
import http from "node:http";
const express = { raw: () => null };
const app = {
  post(path, _, handler) {
    const server = http.createServer((request, response) => {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        request.body = Buffer.concat(chunks);
        response.sendStatus = (status) => response.writeHead(status).end();
        handler(request, response);
      });
    });
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  },
};
process.stdin.on("end", () => process.exit(0)).resume();
`

func TestConsoleSaysHowToVerifyInNode(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("node")); err != nil {
		t.Fatal(err)
	}
	node := npmtest.Install(t, dir, "install", "--no-package-lock")
	program := express + snippet(t, signing.HMAC, "Node")
	if err := os.WriteFile(filepath.Join(dir, "snippet.mjs"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	receiver := exec.CommandContext(t.Context(), node, "snippet.mjs")
	receiver.Dir = dir
	verifiesPings(t, signing.HMAC, receiver)
}

// What is around the console's lines for a public key, which have a function that verifies.
const (
	aroundGo = `package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

FUNCTION

func main() {
	http.HandleFunc("POST /webhooks", func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || !verified(r.Header, body) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go http.Serve(listener, nil)
	io.Copy(io.Discard, os.Stdin) // until the test has ended
}
`
	aroundNode = `
import http from "node:http";
const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(verified(request.headers, Buffer.concat(chunks)) ? 200 : 401).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
`
	aroundPython = `
import http.server, sys, threading

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200 if verified(self.headers, body) else 401)
        self.end_headers()
    def log_message(self, *_): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
`
)

// The lines for a public key need no library but Python's cryptography, and name none of ours:
// customers of a host read them.
func TestConsoleSaysHowToVerifyByAPublicKey(t *testing.T) {
	write := func(name, program string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	t.Run("Go", func(t *testing.T) {
		source := write("main.go", strings.Replace(aroundGo, "FUNCTION",
			snippet(t, signing.Ed25519, "Go"), 1))
		binary := filepath.Join(t.TempDir(), "receiver")
		if out, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		verifiesPings(t, signing.Ed25519, exec.CommandContext(t.Context(), binary))
	})
	t.Run("Node", func(t *testing.T) {
		node := npmtest.Node(t)
		verifiesPings(t, signing.Ed25519, exec.CommandContext(t.Context(), node,
			write("main.mjs", snippet(t, signing.Ed25519, "Node")+aroundNode)))
	})
	t.Run("Python", func(t *testing.T) {
		verifiesPings(t, signing.Ed25519, exec.CommandContext(t.Context(), python(t),
			write("main.py", snippet(t, signing.Ed25519, "Python")+aroundPython)))
	})
}
