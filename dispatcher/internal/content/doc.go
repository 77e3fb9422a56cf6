// Package content says what is sent of an event, so that all requests with one webhook-id have the
// same body, the same Content-Type and the same headers of a CloudEvent.
//
// # The problem
//
// A delivery may be attempted for days and sent again weeks later. Meanwhile its owner changes the
// fields of the webhook, and the host its Transform, the mode of CloudEvents or the Content-Type. A
// receiver that goes by webhook-id would then see one event with two contents. Whether an attempt
// counted, failed or succeeded makes no difference to that receiver.
//
// An attempt whose outcome is not stored leaves nothing: one that a crash ends, that a stop cuts
// off, or that fails after its lease has run out.
//
// # How it is solved
//
// A [Recipe] is all that the content depends on beside the event, which never changes. The first
// attempt that makes a request is made by the recipe of that time, and every later one by the same:
//
//	no mark    ──▶ the recipe of now ──▶ Make ──▶ Transform ──▶ request
//	                     └────────────── Mark ◀──────┘            │
//	                                       └──▶ the outcome ◀─────┘
//	the mark   ──▶ its recipe ─────────▶ Make ──▶ request
//
// The mark is stored with every outcome, and stays until the delivery is removed.
// The usual recipe, which is the whole event as JSON, has none: an attempt is enough to say that it
// was used. So what must be said is the contrary, that an attempt was made and has sent nothing;
// that is store.BodyUnsent.
//
//	BodyState of a claim                 its content
//	BodyUndecided, the first attempt     by the recipe of now
//	BodyUndecided, a later attempt       the usual one
//	BodyUnsent                           by the recipe of now
//	BodyUnchanged                        the usual one
//	BodyOverridden                       by the recipe in BodyOverride
//
// # Invariants
//
//   - Content is made from a recipe and an event alone: no hook, no option and no subscription is
//     read by Make.
//   - A mark has names and settings, not the body, unless the host's Transform has made another.
//   - A recipe that is stored is checked like one that a host gives: nothing in it can end a
//     header.
//
// The package does no I/O and keeps no state.
package content
