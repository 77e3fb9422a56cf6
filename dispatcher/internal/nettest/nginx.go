package nettest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// nginxConf is what every server has. What a test wants is in place of $SERVER.
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
  server { listen $ADDRESS ssl; $SERVER }
}
`

// Nginx starts a real nginx with TLS and returns its address. server are directives; $DIR in them
// is a folder that has the files, by their names. Without nginx the test is skipped, and fails in
// CI, which must have it.
func Nginx(t *testing.T, server string, files map[string][]byte) (address string) {
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
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	conf := strings.ReplaceAll(nginxConf, "$SERVER", server)
	conf = strings.NewReplacer("$DIR", dir, "$ADDRESS", address).Replace(conf)
	if os.Geteuid() == 0 { // its workers would be nobody, who can't read the folder
		conf = "user root;\n" + conf
	}
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		write(name, content)
	}
	write("nginx.conf", []byte(conf))
	log := filepath.Join(dir, "error.log")
	cmd := exec.Command(program, "-p", dir, "-e", log, "-c", filepath.Join(dir, "nginx.conf"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // its workers end too
		<-ended
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(Patience)
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address
		}
		select {
		case <-tick.C:
		case err := <-ended:
			ended <- err
			text, _ := os.ReadFile(log)
			t.Fatalf("nginx ended: %v\n%s", err, text)
		case <-timeout:
			t.Fatalf("nginx did not listen within %v", Patience)
		}
	}
}
