package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// StartStandby makes a copy of the server in a folder of its own and starts it as a standby, which
// follows the server and can be asked from when it returns. Its port is a free one, or that of a
// server that was removed: a host that knows both ports need not be told of a third.
//
// The standby is asynchronous until SetSynchronous. The error is ErrNotInstalled if there is no
// pg_basebackup beside the server's programs.
func (s *Server) StartStandby(ctx context.Context, port int) (_ *Server, err error) {
	if _, err := os.Stat(filepath.Join(s.bin, "pg_basebackup")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotInstalled, err)
	}
	dir, err := os.MkdirTemp("", "outhook-postgres-")
	if err != nil {
		return nil, err
	}
	standby := &Server{dir: dir, bin: s.bin, port: port}
	if err := standby.follow(ctx, s); err != nil {
		_ = os.RemoveAll(dir) // the first error is the one that matters
		return nil, fmt.Errorf("pgtest: standby: %w", err)
	}
	return standby, nil
}

func (s *Server) follow(ctx context.Context, primary *Server) (err error) {
	if s.as, err = s.unprivileged(); err != nil {
		return err
	}
	if s.port == 0 {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=outhook application_name=standby", primary.port)
	// Streamed beside the copy, so that the primary need not keep old log for it.
	if err := s.run(ctx, "pg_basebackup", "--pgdata="+s.data(), "--dbname="+from,
		"--wal-method=stream", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"); err != nil {
		return err
	}
	// The last of a name counts; the copy has those of the primary, which may itself have been a
	// standby.
	conf := fmt.Sprintf("port = %d\nsynchronous_standby_names = ''\n", s.port)
	if err := s.configure(conf); err != nil {
		return err
	}
	return s.Start(ctx)
}

// SetSynchronous has each commit of the server wait for the standby that follows it, from the time
// on at which that has caught up.
func (s *Server) SetSynchronous(ctx context.Context) error {
	if err := s.configure("synchronous_standby_names = 'standby'\n"); err != nil {
		return err
	}
	return s.run(ctx, "pg_ctl", "reload", "--silent", "--pgdata="+s.data())
}

// Promote makes a standby a primary, and returns when it is one.
func (s *Server) Promote(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "promote", "--wait", "--silent", "--pgdata="+s.data())
}

// Port is the port that the server listens on.
func (s *Server) Port() int { return s.port }

// configure adds lines to the settings.
func (s *Server) configure(lines string) error {
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(lines)
	return err
}
