package sqltx

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// prepared are the statements that were prepared on a connection, by their text. They live as long
// as the connection, which carries them.
type prepared map[string]*pgconn.StatementDescription

const (
	preparedKey = "outhook/sqltx"
	maxPrepared = 512 // listings have many statements; what is over is sent unprepared
)

// prepare returns the descriptions of the statements, those that are to be sent unprepared nil. It
// prepares what the connection has not seen yet, in a round trip of its own.
func (b *Batch) prepare(
	ctx context.Context, conn *pgx.Conn,
) ([]*pgconn.StatementDescription, error) {
	described := make([]*pgconn.StatementDescription, len(b.steps))
	if conn.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return described, nil
	}
	data := conn.PgConn().CustomData()
	known, ok := data[preparedKey].(prepared)
	if !ok {
		known = make(prepared)
		data[preparedKey] = known
	}
	if err := known.add(ctx, conn, b.steps); err != nil {
		return nil, err
	}
	for i, st := range b.steps {
		described[i] = known[st.sql]
	}
	return described, nil
}

// add prepares the statements that are not known.
func (known prepared) add(ctx context.Context, conn *pgx.Conn, steps []*Step) error {
	var fresh []*pgconn.StatementDescription
	var p *pgconn.Pipeline
	seen := make(map[string]bool)
	for _, st := range steps {
		if known[st.sql] != nil || seen[st.sql] || len(known)+len(fresh) >= maxPrepared {
			continue
		}
		seen[st.sql] = true
		if p == nil {
			p = conn.PgConn().StartPipeline(ctx)
		}
		sd := &pgconn.StatementDescription{
			Name: fmt.Sprintf("outhook_%d", len(known)+len(fresh)),
			SQL:  st.sql,
		}
		p.SendPrepare(sd.Name, sd.SQL, nil)
		fresh = append(fresh, sd)
	}
	if p == nil {
		return nil
	}
	err := p.Sync()
	for i := 0; err == nil && i < len(fresh); i++ {
		var got any
		if got, err = p.GetResults(); err == nil {
			sd, ok := got.(*pgconn.StatementDescription)
			if !ok {
				err = fmt.Errorf("pipeline: got %T, want a description", got)
				break
			}
			fresh[i].ParamOIDs, fresh[i].Fields = sd.ParamOIDs, sd.Fields
		}
	}
	if closed := p.Close(); err == nil {
		err = closed
	}
	if err != nil {
		// Some may be prepared, under names that are taken now. Another connection begins anew.
		_ = conn.Close(ctx)
		return err
	}
	for _, sd := range fresh {
		known[sd.SQL] = sd
	}
	return nil
}
