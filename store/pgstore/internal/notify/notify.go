package notify

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store/pgstore/internal/schema"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

const (
	tellEvery     = 10 * time.Millisecond
	tellTimeout   = 5 * time.Second
	relistenFirst = 100 * time.Millisecond
	relistenMax   = 5 * time.Second
	listenTimeout = 10 * time.Second // to connect and to listen
	closeTimeout  = time.Second
)

// sharesFree is the payload of a notification that shares were given up. Others have none.
const sharesFree = "shares"

// Notifier has the slots of one replica. It is safe for concurrent use.
type Notifier struct {
	db     *sqltx.DB
	pool   *pgxpool.Pool
	schema schema.Name
	log    func(what string, err error)

	ready, tell, told, sharesFree chan struct{} // one slot each
}

// New returns a Notifier on the channel of the schema. log gets what goes wrong in Tell and Hear.
func New(
	db *sqltx.DB, pool *pgxpool.Pool, name schema.Name, log func(what string, err error),
) *Notifier {
	slot := func() chan struct{} { return make(chan struct{}, 1) }
	return &Notifier{
		db: db, pool: pool, schema: name, log: log,
		ready: slot(), tell: slot(), told: slot(), sharesFree: slot(),
	}
}

// fill puts a token in a slot. It never waits: a full slot says all that another token would.
func fill(slot chan struct{}) {
	select {
	case slot <- struct{}{}:
	default:
	}
}

// Wake says that there may be something new to claim.
func (n *Notifier) Wake() { fill(n.ready) }

// Ready has a token when there may be something new to claim.
func (n *Notifier) Ready() <-chan struct{} { return n.ready }

// TellOthers says that this replica has written notices for others.
func (n *Notifier) TellOthers() { fill(n.tell) }

// LookAgain says that there are notices for this replica.
func (n *Notifier) LookAgain() { fill(n.told) }

// Told has a token when there may be notices for this replica.
func (n *Notifier) Told() <-chan struct{} { return n.told }

// SharesFree has a token when there may be shares for this replica.
func (n *Notifier) SharesFree() <-chan struct{} { return n.sharesFree }

// QueueSharesFree adds to a transaction that it tells others of shares that were given up.
func (n *Notifier) QueueSharesFree(b *sqltx.Batch) {
	b.Queue("SELECT pg_notify($1, $2)", n.schema.Channel(), sharesFree)
}

// Tell tells the other replicas when there is something new, until ctx ends.
func (n *Notifier) Tell(ctx context.Context) {
	within := sqltx.Bounds{Limit: tellTimeout}
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.tell:
		}
		// One that a crash loses costs a poll interval, so it does not wait for the disk.
		err := n.db.WriteWithin(ctx, within, sqltx.Async, func(b *sqltx.Batch) {
			b.Queue("SELECT pg_notify($1, '')", n.schema.Channel())
		})
		if err != nil && ctx.Err() == nil {
			n.log("notify", err)
		}
		// What is told in this time fills the slot once.
		Pause(ctx, tellEvery)
	}
}

// Hear fills the slots when another replica tells something, until ctx ends. It has a connection of
// its own, which it makes anew when it is lost.
func (n *Notifier) Hear(ctx context.Context) {
	delay := relistenFirst
	for ctx.Err() == nil {
		err := n.hearOn(ctx, func() { delay = relistenFirst })
		if ctx.Err() != nil {
			return
		}
		n.log("the notification connection was lost; polling meanwhile", err)
		Pause(ctx, delay)
		// Slower while the server is down, and at once again after a connection that has worked.
		delay = min(2*delay, relistenMax)
	}
}

// hearOn listens on a new connection until that is lost.
func (n *Notifier) hearOn(ctx context.Context, connected func()) error {
	conn, err := n.listen(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	connected()
	fill(n.told) // what was told before it listened is lost
	for {
		got, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if got.Payload == sharesFree {
			fill(n.sharesFree)
		} else {
			fill(n.told)
		}
	}
}

// listen returns a connection that listens.
func (n *Notifier) listen(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	pool := n.pool.Config()
	// Config returns a copy, so what BeforeConnect sets is for this connection alone.
	config := pool.ConnConfig
	if pool.BeforeConnect != nil { // it may be what knows the password
		if err := pool.BeforeConnect(ctx, config); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	channel := pgx.Identifier{n.schema.Channel()}.Sanitize()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		closeConn(conn)
		return nil, err
	}
	return conn, nil
}

// closeConn closes the connection, also if the server does not answer.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx) // nothing depends on it any more
}

// Pause waits for d, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
