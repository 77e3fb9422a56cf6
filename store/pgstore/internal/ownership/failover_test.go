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
