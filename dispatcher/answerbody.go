package dispatcher

import "io"

// answerBody is the body of an answer. It gives the connection back, or closes it.
type answerBody struct {
	body  io.Reader
	conn  *conn // nil once closed
	idle  *idle
	last  bool // no other exchange may follow
	whole bool // it was read to its end
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.whole = b.whole || err == io.EOF
	return n, err
}

// Close does not read what has not been read.
func (b *answerBody) Close() error {
	c := b.conn
	b.conn = nil
	switch {
	case c == nil:
	case !b.whole || !c.settled():
		c.drop()
	case b.last:
		return c.Close()
	default:
		b.idle.put(c)
	}
	return nil
}
