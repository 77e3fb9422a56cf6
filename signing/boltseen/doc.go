// Package boltseen remembers in a bbolt file which deliveries a receiver has handled, so that a
// restart forgets none. It is a signing.Seen, for a signing.Once:
//
//	seen, err := boltseen.Open("seen.db", nil)
//	…
//	defer seen.Close()
//	once := &signing.Once{Seen: seen}
//	mux.Handle("POST /webhook", verifier.Handler(once.Handler(next)))
//
// Open takes a file of its own. New takes the bbolt database of a receiver that keeps its data in
// one; its handler can then store a delivery's id in the transaction of its work, by AddTx, and no
// crash makes it do the work twice:
//
//	err := db.Update(func(tx *bbolt.Tx) error {
//		if err := ship(tx, order); err != nil {
//			return err
//		}
//		return seen.AddTx(tx, r.Header.Get(signing.HeaderID))
//	})
//
// What is remembered is bounded by Options.Max and Options.Keep: the oldest is forgotten first. A
// million ids of 36 bytes take about 150 MB of the file.
//
// Add returns when the id is synced to disk. Ids that are added at the same time are written
// together, with one sync. All methods are safe for concurrent use.
package boltseen
