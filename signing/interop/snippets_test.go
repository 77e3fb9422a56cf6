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

// snippet returns how the console's page of a new key says that a receiver in a language verifies.
func snippet(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile("../../httpapi/console/templates/key.html")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)<summary>` + language + `</summary><pre[^>]*>(.*?)</pre>`).
		FindSubmatch(page)
	if m == nil {
		t.Fatalf("the page has nothing for %s", language)
	}
	return html.UnescapeString(string(m[1]))
}

// verifiesPings starts a receiver, which prints its port, and has it get pings by its key and by
// another.
func verifiesPings(t *testing.T, receiver *exec.Cmd) {
	t.Helper()
	key := signing.NewSecret()
	receiver.Env = append(os.Environ(), "WEBHOOK_KEY="+string(key))
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
	for secret, want := range map[signing.Secret]int{key: 200, signing.NewSecret(): 401} {
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
	imports, statements, _ := strings.Cut(snippet(t, "Go"), "\n")
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
	verifiesPings(t, exec.CommandContext(t.Context(), binary))
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
	program := express + snippet(t, "Node")
	if err := os.WriteFile(filepath.Join(dir, "snippet.mjs"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	receiver := exec.CommandContext(t.Context(), node, "snippet.mjs")
	receiver.Dir = dir
	verifiesPings(t, receiver)
}
