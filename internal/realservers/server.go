package realservers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Paths of every server: it answers 200 at the first, and 401 and 413 at the others before it has
// read the request, as far as that is for its configuration to say.
const (
	pathOK       = "/ok"
	pathDenied   = "/401"
	pathTooLarge = "/413"
)

// idleLimit is how long servers leave a connection open.
const idleLimit = time.Second

// Server is a web server that can be run.
type Server struct {
	Name  string
	tools []string          // names of its program; one of them suffices
	files map[string]string // that it needs in its folder; $DIR and $PORT are replaced
	args  []string
	again []string // arguments that have it load its configuration anew; empty: it can't

	// resets says that a reload resets connections that the server has just taken: no client can
	// know whether the request over such a one was taken.
	resets bool
}

// Allowed returns how many of n attempts may fail by the server's own doing.
func (s *Server) Allowed(n int) int {
	if s.resets {
		return 1 + n/100
	}
	return 0
}

// Find returns the path of the server's program, and whether it is installed.
func (s *Server) Find() (string, bool) {
	for _, tool := range s.tools {
		for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
			if path, err := exec.LookPath(dir + tool); err == nil {
				return path, true
			}
		}
	}
	return "", false
}

// running is a server that runs.
type running struct {
	url    string
	cmd    *exec.Cmd
	output *bytes.Buffer
	dir    string
	exited chan struct{}
	reload []string // the command; empty if it can't
}

// start starts a server, and returns when it takes connections.
func (s *Server) start(ctx context.Context) (*running, error) {
	program, ok := s.Find()
	if !ok {
		return nil, fmt.Errorf("realservers: %s is not installed", s.Name)
	}
	dir, err := os.MkdirTemp("", "outhook-"+s.Name+"-")
	if err != nil {
		return nil, err
	}
	os.Chmod(dir, 0o755) // a server that was started by root gives that up
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	fill := strings.NewReplacer("$DIR", dir, "$PORT", port).Replace
	for name, content := range s.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fill(content)), 0o644); err != nil {
			return nil, err
		}
	}
	command := func(args []string) []string {
		out := []string{program}
		for _, a := range args {
			out = append(out, fill(a))
		}
		return out
	}
	r := &running{url: "http://127.0.0.1:" + port, dir: dir, output: new(bytes.Buffer),
		exited: make(chan struct{})}
	if len(s.again) > 0 {
		r.reload = command(s.again)
	}
	c := command(s.args)
	r.cmd = exec.Command(c[0], c[1:]...)
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = dir, r.output, r.output
	// What it keeps in a home folder goes into its own.
	r.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	r.cmd.WaitDelay = time.Second
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		r.cmd.Wait()
		close(r.exited)
	}()
	if err := r.ready(ctx, "127.0.0.1:"+port); err != nil {
		r.stop()
		return nil, fmt.Errorf("realservers: %s: %w\n%s", s.Name, err, r.output)
	}
	return r, nil
}

// ready waits until the server takes connections.
func (r *running) ready(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		select {
		case <-r.exited:
			return errors.New("it has ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server and removes its folder.
func (r *running) stop() {
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.exited:
	case <-time.After(10 * time.Second):
		r.cmd.Process.Kill()
		<-r.exited
	}
	os.RemoveAll(r.dir)
}

// keepReloading reloads the server every half second until ctx ends, and returns a function that
// waits for the last reload.
func (r *running) keepReloading(ctx context.Context) (wait func()) {
	var wg sync.WaitGroup
	if r.reload != nil {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(500 * time.Millisecond):
					c := exec.Command(r.reload[0], r.reload[1:]...)
					c.Dir = r.dir
					c.Run()
				}
			}
		})
	}
	return wg.Wait
}

// freePort returns a port that nobody listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
