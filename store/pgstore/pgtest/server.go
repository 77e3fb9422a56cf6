package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ErrNotInstalled says that there are no PostgreSQL server binaries: EnvBin names none, and there
// are none in PATH nor in /usr/lib/postgresql.
var ErrNotInstalled = errors.New("pgtest: PostgreSQL is not installed")

// Config is what a server is started with.
type Config struct {
	// Settings are added to postgresql.conf, as name = value.
	Settings map[string]string

	// InMemory keeps the data in memory, where there is room for it: all that a server does is the
	// same, and syncing costs nothing, which is most of what a new schema costs on a slow disk.
	InMemory bool
}

// Server is a running server.
type Server struct {
	dir  string
	bin  string
	port int
	as   *syscall.SysProcAttr
}

// Start makes a database cluster in a temporary folder and starts a server on it.
func Start(ctx context.Context, c Config) (*Server, error) {
	bin, err := binaries(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(c.InMemory)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin}
	if err := s.create(ctx, c); err != nil {
		_ = os.RemoveAll(dir) // the first error is the one that matters
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	return s, nil
}

func (s *Server) create(ctx context.Context, c Config) (err error) {
	if s.as, err = s.unprivileged(); err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	if err := s.run(ctx, "initdb", "--pgdata="+s.data(), "--username=outhook", "--auth=trust",
		"--encoding=UTF8", "--no-locale", "--no-sync"); err != nil {
		return err
	}
	conf := fmt.Sprintf(
		"\nport = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"+
			"max_connections = 200\n", s.port)
	for name, value := range c.Settings {
		conf += fmt.Sprintf("%s = '%s'\n", name, value)
	}
	if err := s.configure(conf); err != nil {
		return err
	}
	return s.Start(ctx)
}

// URL names the server's database.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://outhook@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// Dir is a folder that the server may write to, for a tablespace.
func (s *Server) Dir() string { return s.dir }

// Start starts the server again after Stop, and returns when it takes connections.
func (s *Server) Start(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "start", "--wait", "--silent", "--pgdata="+s.data(),
		"--log="+filepath.Join(s.dir, "log"))
}

// Mode is how a server is stopped.
type Mode string

const (
	Fast      Mode = "fast"      // connections are cut, and everything is written
	Immediate Mode = "immediate" // as in a crash
)

// Stop stops the server and returns when it has ended.
func (s *Server) Stop(ctx context.Context, m Mode) error {
	return s.run(ctx, "pg_ctl", "stop", "--wait", "--silent", "--pgdata="+s.data(),
		"--mode="+string(m))
}

// Remove stops the server and removes its folder.
func (s *Server) Remove() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = s.Thaw()               // it may have ended, or not be frozen
	_ = s.Stop(ctx, Immediate) // it may have been stopped
	_ = os.RemoveAll(s.dir)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run runs one of PostgreSQL's programs.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.as
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := os.CreateTemp("", "outhook-postgres-out-") // a pipe would be held open by the server
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(said))
	}
	return nil
}

// unprivileged says as whom to run the server, and gives its folder to them. Nil when we are not
// root.
func (s *Server) unprivileged() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		cred := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return &syscall.SysProcAttr{Credential: cred}, os.Chown(s.dir, uid, gid)
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Own gives a file or folder to the user that the server runs as.
func (s *Server) Own(path string) error {
	if s.as == nil {
		return nil
	}
	return os.Chown(path, int(s.as.Credential.Uid), int(s.as.Credential.Gid))
}
