package ownership

import "time"

// TalkToAnother has the next Renew find that the server is another than the one before.
func (o *Ownership) TalkToAnother() { o.server = time.Unix(1, 0) }
