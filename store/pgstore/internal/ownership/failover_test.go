package ownership_test

import (
	"strings"
	"testing"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/roomtest"
)

// publish stores a subscription with an event for it, and returns their numbers.
func (m *member) publish(t *testing.T) (d memory.Delivery) {
	t.Helper()
	const query = `WITH s AS (
			INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names,
				header_values, secrets, status, disabled_reason, created_at, updated_at, subscribed_at)
			VALUES ('s', '', '', 'https://endpoint.example/', '{}', '{}', '{}', '{}', 'Subscribed', '',
				now(), now(), now())
			RETURNING num
		), h AS (INSERT INTO outhook.health (sub) SELECT num FROM s)
		INSERT INTO outhook.events (id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		SELECT 'e', 'a.b', '', '', now(), now(), '{}', '', ARRAY[num] FROM s RETURNING recipients[1], seq`
	err := m.pool.QueryRow(t.Context(),
		strings.ReplaceAll(query, "outhook.", m.Schema.Quoted()+".")).Scan(&d.Sub, &d.Seq)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rowless returns how many deliveries of a subscription are pending without a row, as far as memory
// knows.
func (m *member) rowless(sub uint64) int {
	m.Memory.Lock()
	defer m.Memory.Unlock()
	return m.Memory.RowlessCount(sub)
}

// TestLostOutcome checks what becomes of a delivery that waits for a retry, as far as memory knows,
// when another server has taken over that has not got the outcome: it is pending as it was, and no
// low mark passes it.
func TestLostOutcome(t *testing.T) {
	t.Parallel()
	m := newMember(t, roomtest.NewSchema(t))
	renew(t, m)
	d := m.publish(t)
	m.Memory.Lock()
	now := m.Clock.Now()
	m.Memory.Feed(d, now)
	m.Memory.Apply(memory.Change{Delivery: d, Pending: true, Due: now/1000 + 1e9}, now)
	m.Memory.Saw(d.Seq + 1000) // events that the other server has lost
	m.Memory.Unlock()
	m.TalkToAnother()
	m.RaiseLows()
	renew(t, m)
	if got := m.rowless(d.Sub); got != 1 {
		t.Errorf("pending without a row, once memory agrees with the other server: got %d, want 1", got)
	}
	m.RaiseLows()
	renew(t, m)
	_, lows := m.inDatabase(t)
	for share, low := range lows {
		if low > int64(d.Seq) || low == int64(d.Seq) && int32(share) == memory.ShareOf(d.Sub) {
			t.Errorf("low mark of share %d: got %d, where event %d is pending, and the last", share, low,
				d.Seq)
		}
	}
	m.Memory.Lock()
	m.Memory.Apply(memory.Change{Delivery: d}, m.Clock.Now())
	m.Memory.Unlock()
	m.RaiseLows()
	renew(t, m)
	if _, lows := m.inDatabase(t); lows[memory.ShareOf(d.Sub)] != int64(d.Seq) {
		t.Errorf("low marks once it has ended: got %v, want %d", lows, d.Seq)
	}
}

// TestDoubt checks that a replica that does not know whether it knows everything claims nothing and
// raises no low mark until it has looked: then it has what was committed and memory was not told
// of, and its leases.
func TestDoubt(t *testing.T) {
	t.Parallel()
	m := newMember(t, roomtest.NewSchema(t))
	renew(t, m)
	d := m.publish(t) // of which nobody tells memory
	m.Memory.Lock()
	m.Memory.Saw(d.Seq)
	m.Memory.Doubt()
	if risen := m.Memory.RisenLows(0); len(risen.IDs) > 0 {
		t.Errorf("low marks that rise: got those of %v, want none", risen.IDs)
	}
	m.Memory.Unlock()
	if m.IsValid() {
		t.Error("it may claim before it has looked")
	}
	renew(t, m)
	if got := m.rowless(d.Sub); got != 1 {
		t.Errorf("pending without a row, once it has looked: got %d, want 1", got)
	}
	if !m.IsValid() {
		t.Error("it may not claim after it has looked")
	}
}

// TestRenewalSlowerThanTheLease checks that a replica gives up nothing because a renewal took so
// long that the lease it prolongs had run out by the time it was counted who lives.
func TestRenewalSlowerThanTheLease(t *testing.T) {
	t.Parallel()
	m := newMember(t, roomtest.NewSchema(t))
	renew(t, m)
	for _, statement := range []string{
		`CREATE FUNCTION outhook.run_out() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN NEW.until := statement_timestamp() - interval '1 second'; RETURN NEW; END $$`,
		`CREATE TRIGGER run_out BEFORE INSERT OR UPDATE ON outhook.replicas
			FOR EACH ROW EXECUTE FUNCTION outhook.run_out()`,
	} {
		if _, err := m.pool.Exec(t.Context(),
			strings.ReplaceAll(statement, "outhook.", m.Schema.Quoted()+".")); err != nil {
			t.Fatal(err)
		}
	}
	renew(t, m, m)
	wantOwned(t, "after renewals that took too long", m, shares)
}
