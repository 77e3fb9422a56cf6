// Package notify wakes who waits: the reader of Ready here, and the owners of shares in other
// replicas.
//
// A change for another's share is a row (see package replica); a notification only shortens the
// wait until the owner looks. So one that is lost costs a poll interval, and none is sent in a
// transaction: PostgreSQL makes transactions with a notification commit one after another.
//
//	this replica                                 another
//	TellOthers ─▶ slot ─▶ Tell: NOTIFY ══════▶ Hear: LISTEN ─▶ slot ─▶ Told, SharesFree
//	Wake ───────▶ slot ─▶ Ready
//
// A slot holds one token, so many wakings before anybody looks are one. Tell sends at most one
// notification each 10 ms.
package notify
