package mounttest_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nginxConf has a location that removes its prefix, one that changes it, and one that keeps it. The
// console is told nothing of them, and gets no header about them.
const nginxConf = `
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
  server {
    listen 127.0.0.1:$PORT;
    location /removed/ { proxy_pass http://$HOST/; }
    location /changed/ { proxy_pass http://$HOST/admin/hooks/; }
    location /admin/hooks { proxy_pass http://$HOST; }
  }
}
`

// nginx starts a real nginx before a host that has the console at / and at /admin/hooks/, and
// returns its URL.
func nginx(t *testing.T, host http.Handler) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		if os.Getenv("OUTHOOK_CI") != "" {
			t.Fatal("nginx is not installed; .ci/run installs it")
		}
		t.Skip("nginx is not installed")
	}
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	dir, addr := t.TempDir(), freeAddress(t)
	_, port, _ := strings.Cut(addr, ":")
	conf := strings.NewReplacer("$DIR", dir, "$PORT", port,
		"$HOST", strings.TrimPrefix(server.URL, "http://")).Replace(nginxConf)
	if os.Geteuid() == 0 { // its workers would be nobody, who can't read the folder
		conf = "user root;\n" + conf
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-p", dir, "-e", filepath.Join(dir, "error.log"),
		"-c", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // its workers end too
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
	})
	waitFor(t, addr, ended, filepath.Join(dir, "error.log"))
	return "http://" + addr
}

// freeAddress returns an address that nothing listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// waitFor waits until a server listens.
func waitFor(t *testing.T, addr string, ended chan error, log string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(time.Minute)
	for {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log)
			t.Fatalf("nginx ended: %v\n%s", err, text)
		case <-timeout:
			t.Fatal("nginx did not listen within a minute")
		}
	}
}
