package pgstore_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/pgtest"
)

func TestServerCrash(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	srv := newServer(t, nil)
	h := startHosts(t, srv.URL())
	n := rounds(2, 20)
	for range n {
		var publishing sync.WaitGroup
		publishing.Go(func() { h.publishFor(t.Context(), 2*time.Second) })
		every(700*time.Millisecond, 700*time.Millisecond, func() {
			if err := srv.Stop(t.Context(), pgtest.Immediate); err != nil {
				t.Error(err)
			}
			if err := srv.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
		publishing.Wait()
	}
	// What was finished in the last moments before a crash may be forgotten, besides what was in
	// flight.
	h.recovered(t, n*200)
}

// TestCrashForgetsNoOutcome checks that a crash of the server leaves no lease that has nobody to
// end it, even when nobody publishes and the server writes its log as late as it can: so many of
// them would keep everything from the endpoint until they run out.
func TestCrashForgetsNoOutcome(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	srv := newServer(t, map[string]string{"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB",
		"wal_buffers": "64MB"})
	h := startHosts(t, srv.URL())
	const total, before = 600, 500
	evs := someEvents(total)
	if err := h.d.Publish(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	h.judge.ack(ids(evs)...)
	h.judge.await(t, "most deliveries", progress, func(n tally) bool { return n.arrived >= before })
	if err := srv.Stop(t.Context(), pgtest.Immediate); err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.judge.await(t, "the other deliveries, before leases run out", recoveryBusy, delivered)
}

func TestTerminatedConnections(t *testing.T) {
	t.Parallel()
	srv := newServer(t, nil)
	h := startHosts(t, srv.URL())
	admin := connect(t, srv.URL())
	terminate := func() {
		_, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
		if err != nil {
			t.Error(err)
		}
	}
	var publishing sync.WaitGroup
	total := time.Duration(rounds(3, 30)) * time.Second
	publishing.Go(func() { h.publishFor(t.Context(), total) })
	times := 0
	every(100*time.Millisecond, total, func() { terminate(); times++ })
	publishing.Wait()
	h.recovered(t, times*inFlight)
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	srv := newServer(t, map[string]string{"max_connections": "12",
		"superuser_reserved_connections": "1", "max_wal_senders": "0"})
	admin := connect(t, srv.URL())
	if _, err := admin.Exec(t.Context(),
		"CREATE ROLE host LOGIN; GRANT CREATE ON DATABASE postgres TO host"); err != nil {
		t.Fatal(err)
	}
	h := startHosts(t, as(t, srv.URL(), "host"))
	h.publishFor(t.Context(), time.Second)
	// Others take what connections there are, after ours were cut.
	if _, err := admin.Exec(t.Context(), "ALTER ROLE host CONNECTION LIMIT 0"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'host'"); err != nil {
		t.Fatal(err)
	}
	if refused := h.publishFor(t.Context(), time.Second); refused == 0 {
		t.Error("published while there were no connections: none was refused, want all")
	}
	if _, err := admin.Exec(t.Context(), "ALTER ROLE host CONNECTION LIMIT -1"); err != nil {
		t.Fatal(err)
	}
	h.recovered(t, 3*inFlight)
}

// as returns the URL for another user.
func as(t *testing.T, url, user string) string {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", user, cfg.Host, cfg.Port,
		cfg.Database)
}

func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	srv := newServer(t, nil)
	admin := connect(t, srv.URL())
	h := startHosts(t, srv.URL())
	h.publishFor(t.Context(), time.Second)
	// Somebody keeps the tables locked for longer than statements may take.
	set := func(statement string) {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	set("ALTER DATABASE postgres SET statement_timeout = '100ms'")
	set("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND " +
		"backend_type = 'client backend'")
	set("BEGIN; LOCK TABLE outhook.events, outhook.deliveries, outhook.shares IN ACCESS EXCLUSIVE " +
		"MODE")
	if refused := h.publishFor(t.Context(), time.Second); refused == 0 {
		t.Error("published while the tables were locked: none was refused, want all")
	}
	set("COMMIT")
	h.recovered(t, 6*inFlight)
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	srv := newServer(t, nil)
	small := filepath.Join(srv.Dir(), "small")
	mountSmall(t, srv, small)
	admin := connect(t, srv.URL())
	for _, statement := range []string{
		"CREATE TABLESPACE small LOCATION '" + small + "'",
		"ALTER DATABASE postgres SET default_tablespace = 'small'",
	} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	h := startHosts(t, srv.URL())
	h.publishFor(t.Context(), time.Second)
	ballast := filepath.Join(small, "ballast")
	fill(t, ballast)
	refused := 0
	for range 100 { // what is left of the pages that are there must be used up first
		if refused += h.publishBig(t); refused > 3 {
			break
		}
	}
	if refused == 0 {
		t.Error("published on a full disk: none was refused")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	h.recovered(t, 3*inFlight)
}

// publishBig publishes one large event and reports how many were refused.
func (h *hosts) publishBig(t *testing.T) int {
	evs := someEvents(1)
	evs[0].Payload = fmt.Appendf(nil, `"%x"`, randomBytes(100_000))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := h.d.Publish(ctx, evs...); err != nil {
		return 1
	}
	h.judge.ack(ids(evs)...)
	return 0
}

// mountSmall makes the folder a file system of 24 MB that the server can write to.
func mountSmall(t *testing.T, srv *pgtest.Server, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs",
		dir).CombinedOutput(); err != nil {
		t.Skipf("this test mounts a small file system, which cannot be done here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		_ = srv.Stop(context.Background(), pgtest.Immediate) // lets go of it
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	if err := srv.Own(dir); err != nil {
		t.Fatal(err)
	}
}

// fill writes until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 1 << 12} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}
