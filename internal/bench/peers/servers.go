package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/pgtest"
)

// server is what a peer stores its events in, beside its own process.
type server int

const (
	none server = iota
	postgres
	redisAlways
	redisEverySecond
)

// notInstalled is an error that says which server is not installed.
type notInstalled string

func (e notInstalled) Error() string { return string(e) + " is not installed" }

// place is an empty database of a server.
type place struct {
	url     string
	process int // the server's first
	remove  func() error
}

// servers starts what the peers need. Its zero value is ready.
type servers struct {
	dir      string
	postgres *pgtest.Server
	admin    *pgx.Conn
	process  int // PostgreSQL's first
	made     int
	versions map[string]string // of the servers that ran
}

// open returns an empty database of a server, and starts that if it does not run.
func (s *servers) open(ctx context.Context, which server) (place, error) {
	switch which {
	case none:
		return place{remove: func() error { return nil }}, nil
	case postgres:
		return s.database(ctx)
	case redisAlways:
		return s.redis(ctx, "always")
	}
	return s.redis(ctx, "everysec")
}

// installed returns an error if a server is not.
func (s *servers) installed(ctx context.Context, which server) error {
	switch which {
	case none:
	case postgres:
		all, err := pgtest.Installed(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return notInstalled("PostgreSQL")
		}
	default:
		if _, err := exec.LookPath(redisServer); err != nil {
			return notInstalled(redisServer)
		}
	}
	return nil
}

// database makes a database of its own on the one PostgreSQL, which syncs what it commits.
func (s *servers) database(ctx context.Context) (p place, err error) {
	if s.postgres == nil {
		if err := s.startPostgres(ctx); err != nil {
			return p, err
		}
	}
	s.made++
	name := fmt.Sprintf("peers_%d", s.made)
	for _, statement := range []string{"CREATE DATABASE " + name, "CHECKPOINT"} {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return p, fmt.Errorf("PostgreSQL: %s: %w", statement, err)
		}
	}
	p.url = strings.Replace(s.postgres.URL(), "/postgres?", "/"+name+"?", 1)
	p.process = s.process
	p.remove = func() error {
		_, err := s.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		return err
	}
	return p, nil
}

func (s *servers) startPostgres(ctx context.Context) (err error) {
	s.postgres, err = pgtest.Start(ctx, pgtest.Config{Settings: map[string]string{
		"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min",
	}})
	if err != nil {
		return err
	}
	if s.admin, err = pgx.Connect(ctx, s.postgres.URL()); err != nil {
		return err
	}
	var dir, version string
	err = s.admin.QueryRow(ctx,
		"SELECT current_setting('data_directory'), current_setting('server_version')").Scan(&dir, &version)
	if err != nil {
		return err
	}
	s.version("PostgreSQL", strings.Fields(version)[0])
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	s.process, err = strconv.Atoi(string(first))
	return err
}

func (s *servers) version(name, version string) {
	if s.versions == nil {
		s.versions = make(map[string]string)
	}
	s.versions[name] = version
}

// close stops what runs, and removes its files.
func (s *servers) close() {
	if s.admin != nil {
		_ = s.admin.Close(context.Background()) // the server stops anyway
	}
	if s.postgres != nil {
		s.postgres.Remove()
	}
}

const redisServer = "redis-server"

// redis starts a Redis that logs each write to a file and syncs that as it is told.
func (s *servers) redis(ctx context.Context, sync string) (p place, err error) {
	path, err := exec.LookPath(redisServer)
	if err != nil {
		return p, notInstalled(redisServer)
	}
	if out, err := exec.CommandContext(ctx, path, "--version").Output(); err == nil {
		if _, rest, ok := strings.Cut(string(out), "v="); ok {
			s.version("Redis", strings.Fields(rest)[0])
		}
	}
	dir, err := os.MkdirTemp(s.dir, "redis-")
	if err != nil {
		return p, err
	}
	if p.url, err = freeAddress(); err != nil {
		return p, err
	}
	_, port, _ := net.SplitHostPort(p.url)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--appendonly", "yes", "--appendfsync", sync, "--save", "", "--daemonize", "no")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return p, err
	}
	p.process = cmd.Process.Pid
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is told to end, and else it has said why it did
	}()
	p.remove = func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		return os.RemoveAll(dir)
	}
	if err := awaitRedis(ctx, p.url, ended); err != nil {
		return p, errors.Join(fmt.Errorf("%s: %w: %s", redisServer, err, said.Bytes()), p.remove())
	}
	return p, nil
}

// awaitRedis returns when a Redis answers.
func awaitRedis(ctx context.Context, address string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if answers(address) {
			return nil
		}
		select {
		case <-ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// answers reports whether a Redis is at an address and ready.
func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	var answer [7]byte
	n, err := conn.Read(answer[:])
	return err == nil && string(answer[:n]) == "+PONG\r\n"
}

// freeAddress returns an address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
