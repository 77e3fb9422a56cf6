// Package nginxtest runs a real nginx for a test.
package nginxtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long nginx may take to begin, on a machine with much else to do.
const patience = time.Minute

// conf is what every server has. What a test wants is in place of $SERVER.
const conf = `
daemon off;
worker_processes 1;
pid $DIR/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $DIR/body;
  proxy_temp_path $DIR/proxy;
  fastcgi_temp_path $DIR/fastcgi;
  uwsgi_temp_path $DIR/uwsgi;
  scgi_temp_path $DIR/scgi;
  server { $SERVER }
}
`

// Start starts nginx until the test ends, and returns the address that it listens at. server has
// the directives of its one server: in them, $ADDRESS is that address, and $DIR a folder that has
// the files, by their names. Without nginx the test is skipped, and fails in CI, which must have
// it.
func Start(t *testing.T, server string, files map[string][]byte) (address string) {
	t.Helper()
	program, dir := find(t), t.TempDir()
	address = freeAddress(t)
	text := strings.NewReplacer("$DIR", dir, "$ADDRESS", address).Replace(
		strings.Replace(conf, "$SERVER", server, 1))
	if os.Geteuid() == 0 { // its workers would be nobody, who can't read the folder
		text = "user root;\n" + text
	}
	write := func(name string, content []byte) (path string) {
		path = filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, content := range files {
		write(name, content)
	}
	log := filepath.Join(dir, "error.log")
	cmd := exec.Command(program, "-p", dir, "-e", log, "-c", write("nginx.conf", []byte(text)))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // its workers end too
		<-ended
	})
	await(t, address, ended, log)
	return address
}

// find returns where nginx is.
func find(t *testing.T) (program string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	switch {
	case err == nil:
	case os.Getenv("OUTHOOK_CI") != "":
		t.Fatal("nginx is not installed, and OUTHOOK_CI is set")
	default:
		t.Skip("nginx is not installed")
	}
	return program
}

// freeAddress returns an address that nothing listens at now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until nginx listens.
func await(t *testing.T, address string, ended chan error, log string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case err := <-ended:
			ended <- err // for Cleanup
			text, _ := os.ReadFile(log)
			t.Fatalf("nginx ended: %v\n%s", err, text)
		case <-timeout:
			t.Fatalf("nginx did not listen within %v", patience)
		}
	}
}
