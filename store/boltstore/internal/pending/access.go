package pending

// access passes keys to the buckets. The interfaces of Buckets and Cursor make the compiler assume
// that a key outlives the call, so each key on a caller's stack would be allocated. So access
// copies the key into memory of its own first: one key at a time, which none of the buckets keeps.
type access struct {
	buckets  Buckets
	key, low []byte
}

func (a *access) get(b Bucket, key []byte) []byte {
	a.key = append(a.key[:0], key...)
	return a.buckets.Get(b, a.key)
}

// getEntry is get, and returns the key too, in memory that is valid until the next call: a decoder
// makes a key escape as the buckets do.
func (a *access) getEntry(b Bucket, key []byte) (k, v []byte) {
	v = a.get(b, key)
	return a.key, v
}

func (a *access) put(b Bucket, key, value []byte) error {
	a.key = append(a.key[:0], key...)
	return a.buckets.Put(b, a.key, value)
}

func (a *access) remove(b Bucket, key []byte) error {
	a.key = append(a.key[:0], key...)
	return a.buckets.Delete(b, a.key)
}

// seek moves a cursor as Cursor.Seek does.
func (a *access) seek(c Cursor, key []byte) (k, v []byte) {
	a.key = append(a.key[:0], key...)
	return c.Seek(a.key)
}

// lastBetween moves a cursor as Cursor.LastBetween does. high stays in a.key.
func (a *access) lastBetween(c Cursor, low, high []byte) (k, v []byte) {
	a.low, a.key = append(a.low[:0], low...), append(a.key[:0], high...)
	return c.LastBetween(a.low, a.key)
}
