// Package recorder records the outcomes of attempts in a store that may be slow or down, and gives
// leases back to it, so that neither keeps a dispatcher from its work with other stores.
//
// # The problem
//
// A dispatcher finishes attempts of many stores in one call, and makes a bounded number of such
// calls at once. One store that hangs would soon have all of them wait. But an outcome that is
// dropped has its delivery attempted again, although the endpoint may have the event.
//
// # The picture
//
//	Finish ──▶ one of maxWaiting slots ──▶ the store ──▶ results
//	             │ none for 250 ms           │ fails        │ takes longer than 5 s: no results,
//	             ▼                           ▼              ▼ and the call goes on
//	           kept, at most maxKept ──▶ recorded in batches when the store works again
//
// # What holds
//
//   - An outcome is recorded, kept, or refused by an error. Kept ones are lost with Close: then
//     their deliveries are attempted again when their leases have run out.
//
//   - What is kept is recorded in the order in which it came.
//
//   - An error of a store that works (calls.IsAnswer) is the caller's, and nothing is kept for it:
//     it would be the same at the next try.
package recorder
