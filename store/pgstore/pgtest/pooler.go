package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// ErrNoPooler says that pgbouncer is neither in PATH nor in /usr/sbin.
var ErrNoPooler = errors.New("pgtest: PgBouncer is not installed")

// Pooler is a running PgBouncer in transaction mode: its clients have a connection to the server
// only for the time of a transaction.
type Pooler struct {
	port int
	stop context.CancelFunc
	done chan struct{} // closed when it has ended
	said bytes.Buffer  // what it printed; after done
}

// StartPooler starts a PgBouncer before the server, with so many connections to it, and returns
// when it takes connections.
func (s *Server) StartPooler(ctx context.Context, connections int) (*Pooler, error) {
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		path = "/usr/sbin/pgbouncer"
		if _, err := os.Stat(path); err != nil {
			return nil, ErrNoPooler
		}
	}
	p := &Pooler{done: make(chan struct{})}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	ini := filepath.Join(s.dir, fmt.Sprintf("pgbouncer-%d.ini", p.port))
	conf := fmt.Sprintf(`[databases]
postgres = host=127.0.0.1 port=%d dbname=postgres user=outhook
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = %d
max_client_conn = 200
`, s.port, p.port, connections)
	if err := errors.Join(os.WriteFile(ini, []byte(conf), 0o600), s.Own(ini)); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(running, path, ini)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = s.dir, s.as, &p.said, &p.said
	if err := cmd.Start(); err != nil {
		stop()
		return nil, err
	}
	p.stop = stop
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // it is killed, and else it has said why it ended
	}()
	if err := p.await(ctx); err != nil {
		p.Stop()
		return nil, fmt.Errorf("pgtest: pgbouncer: %w: %s", err, bytes.TrimSpace(p.said.Bytes()))
	}
	return p, nil
}

// await waits until it takes connections.
func (p *Pooler) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-p.done:
			return errors.New("it has ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// URL names the server's database, through the pooler.
func (p *Pooler) URL() string {
	return fmt.Sprintf("postgres://outhook@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

// Stop ends it.
func (p *Pooler) Stop() {
	p.stop()
	<-p.done
}
